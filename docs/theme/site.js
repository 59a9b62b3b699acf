// What the themes leave without a name or out of the keyboard's reach, also on pages that come later without a reload.
function mend() {
  const search = document.querySelector(".md-search");
  const field = document.querySelector(".md-search__input");
  if (search && field) search.setAttribute("aria-label", field.getAttribute("placeholder") ?? "");
  for (const one of document.querySelectorAll(".md-sidebar__scrollwrap, .md-typeset__scrollwrap, pre > code")) {
    if (!one.hasAttribute("tabindex")) one.setAttribute("tabindex", "0");
  }
}

mend();
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
