# wrong: inside
# en: It gives back the first region's address whatever is asked.
# zh: 不管问什么，都返回第一个区域的地址。
def translate(regions, gpa, size):
    return regions[0][2]
