# en: Looks again by calling itself.
# zh: 用调用自身的办法再看一次。
class Reaper:
    def __init__(self, ring, last):
        self.ring, self.last = ring, last

    def called(self):
        heads = []
        while self.ring.load_used_idx() != self.last:
            heads.append(self.ring.read_used_entry(self.last).head)
            self.last = (self.last + 1) & 0xFFFF
        self.ring.store_used_event(self.last)
        self.ring.full_barrier()
        if self.ring.load_used_idx() != self.last:
            heads += self.called()
        return heads


it = None


def attach(ring, last):
    global it
    it = Reaper(ring, last)


def called():
    return it.called()
