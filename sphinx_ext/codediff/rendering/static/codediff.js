// Views, copying, and folds that open together. Without it, sides stand next to each other.
// It runs while the page is read, so that each block has its view before it is painted.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (parent, tag, properties) =>
    parent.appendChild(Object.assign(document.createElement(tag), properties));
  const blocks = [];

  const storage = (method, ...values) => {
    try {
      return localStorage[method](...values);
    } catch {} // Storage is off or full: the choice holds for this page.
  };
  const key = (element) => `codediff: ${element.getAttribute("aria-label")}`;
  const isSynced = (element) => "sync" in element.dataset;
  const sidesOf = (element) => all(".codediff-side", element);
  const titleOf = (side) => side.querySelector(".caption-text")?.textContent;

  // The one rule for views: no data-view stands for side by side, a number for one side alone.
  const show = (element, view) => {
    if (view) element.dataset.view = view;
    else delete element.dataset.view;
    sidesOf(element).forEach((side, index) => side.classList.toggle("cd-shown", view === `${index}`));
    const chosen = all(`.cd-controls [value="${view}"]`, element); // An option and a radio button.
    for (const control of chosen) control.selected = control.checked = true;
  };

  // What the address asks for, or else what was chosen before, or else what the author wants.
  const decide = (element) => {
    const sides = sidesOf(element);
    const asked = new URLSearchParams(location.search).get("codediff");
    const named = sides.findIndex((side) => [titleOf(side), side.dataset.title].includes(asked ?? ""));
    const wanted = [
      { "side-by-side": "", unified: "unified" }[asked] ?? (named < 0 ? null : `${named}`),
      isSynced(element) ? storage("getItem", key(element)) : null,
      element.dataset.firstView,
    ];
    show(element, wanted.find((view) => ["", "unified", ...sides.keys()].map(String).includes(view)) ?? "");
  };

  // Does something that may move the element, and keeps it where it is in the window. Browsers
  // scroll by whole pixels: what is left over is for the next time.
  const holding = (element, change, before = 0) => {
    const top = () => element.getBoundingClientRect().top;
    const wanted = top() - before;
    change();
    scrollBy({ top: top() - wanted, behavior: "instant" });
    return top() - wanted;
  };

  // What is far from the window is laid out bit by bit, once the rest is to be seen.
  const layOut = (before) => {
    const far = all(".cd-far");
    const first = blocks.find((block) => block.getBoundingClientRect().bottom > 0);
    const some = far.slice(0, 8);
    const change = () => some.forEach(({ classList }) => classList.remove("cd-far"));
    const after = holding(first ?? blocks[0], change, before);
    if (far.length > some.length) setTimeout(layOut, 16, after);
  };

  const choose = (element, view) => {
    const others = blocks.filter(
      (other) => other === element || (isSynced(element) && isSynced(other) && key(other) === key(element)),
    );
    const isNear = (other) => {
      const { top, bottom } = other.getBoundingClientRect();
      return other === element || (bottom > -innerHeight / 2 && top < 1.5 * innerHeight);
    };
    const near = others.filter(isNear);
    const heights = new Map(others.map((other) => [other, other.clientHeight]));
    const total = (heightOf) => near.reduce((sum, other) => sum + heightOf(other), 0);
    holding(element, () => {
      for (const other of near) {
        other.classList.remove("cd-far");
        show(other, view);
      }
      // Until they are laid out, the others grow or shrink as those near the window do.
      const ratio = total((other) => other.clientHeight) / total((other) => heights.get(other));
      for (const other of others.filter((other) => !near.includes(other))) {
        other.style.containIntrinsicBlockSize = `${ratio * heights.get(other)}px`;
        other.classList.add("cd-far");
        show(other, view);
      }
    });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(layOut)));
    if (isSynced(element)) storage("setItem", key(element), view);
    const address = new URL(location.href);
    if (address.searchParams.has("codediff")) {
      address.searchParams.delete("codediff"); // The reader has chosen anew.
      history.replaceState(history.state, "", address);
    }
  };

  const write = async (pre) => {
    const text = pre.textContent.slice(0, -1);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // The page is not secure, or may not; a selection of the code would leave out what is folded.
      const button = document.activeElement;
      const area = make(pre.parentElement, "textarea", { value: text });
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
  };

  const addControls = (element, number) => {
    const meta = all('meta[name="codediff"]').pop();
    const words = meta?.content ?? "Side by side|Unified|View|Copy|Copied";
    const [split, unified, label, copy, copied] = words.split("|");
    const sides = sidesOf(element);
    const bar = make(element.querySelector(".codediff"), "div", { className: "cd-bar" });
    const controls = make(bar, "div", { className: "cd-controls" });
    const group = make(controls, "fieldset", { className: "cd-views", ariaLabel: label });
    const select = make(controls, "select", { ariaLabel: label, autocomplete: "off" });
    const views = [[split, ""], [unified, "unified"], ...sides.map((side, index) => [titleOf(side), `${index}`])];
    for (const [textContent, value] of views) {
      make(select, "option", { textContent, value });
      const part = make(group, "label", {});
      make(part, "input", { type: "radio", name: `codediff-${number}`, value, autocomplete: "off" });
      make(part, "span", { textContent });
    }
    controls.addEventListener("change", ({ target }) => choose(element, target.value));
    const status = make(controls, "span", { role: "status" });
    let timer;
    const report = (button) => {
      all(".cd-done", element).forEach(({ classList }) => classList.remove("cd-done"));
      button?.classList.add("cd-done");
      status.textContent = button ? copied : "";
      clearTimeout(timer);
      if (button) timer = setTimeout(report, 2000);
    };
    for (const side of sides) {
      const name = `${copy}: ${titleOf(side)}`;
      const button = make(side.firstElementChild, "button", { className: "codediff-copy", type: "button", ariaLabel: name, title: name });
      button.addEventListener("click", async () => {
        await write(side.querySelector("pre"));
        report(button);
      });
    }
  };

  const scan = () => {
    for (const element of all(".codediff-block:not(.cd-ready)")) {
      decide(element);
      element.hidden = document.readyState === "loading" && !element.nextSibling;
      if (element.hidden) continue; // There is more to come, and lines would move.
      element.classList.add("cd-ready");
      addControls(element, blocks.push(element));
      decide(element);
    }
  };
  const observer = new MutationObserver(scan);
  observer.observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => {
    scan();
    observer.disconnect();
  });

  // A selection that begins in one side stays there.
  document.addEventListener("pointerdown", ({ target }) => {
    all(".cd-selecting, .cd-selected").forEach((part) => part.classList.remove("cd-selecting", "cd-selected"));
    const side = target.closest?.(".codediff-side");
    if (!side?.querySelector("pre").contains(target)) return;
    side.classList.add("cd-selected");
    side.closest(".codediff-block").classList.add("cd-selecting");
  });

  // The same fold of all sides opens together, whoever opened it: a reader or a search.
  document.addEventListener(
    "toggle",
    ({ target }) => {
      const block = target.closest?.(".codediff-block");
      if (!block || target.tagName !== "DETAILS") return;
      const index = all("details", target.closest("pre")).indexOf(target);
      for (const side of sidesOf(block)) {
        const fold = all("details", side)[index];
        const { dataset } = fold.firstElementChild;
        fold.open = target.open;
        fold.firstElementChild.ariaLabel = target.open ? dataset.hide : dataset.show;
      }
    },
    true,
  );
})();
