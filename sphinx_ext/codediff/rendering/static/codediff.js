// Views, copying, and folds that open together. Without it, sides stand next to each other.
// It runs while the page is read, so that each block has its view before it is painted.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (parent, tag, properties) =>
    parent.appendChild(Object.assign(document.createElement(tag), properties));
  const blocks = [];
  const known = new Map(); // The rows of blocks that were measured.

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

  const scroll = (top) => scrollBy({ top, behavior: "instant" });
  const boxOf = (element) => element.getBoundingClientRect();

  // Does something that may move a place, and keeps it where it is in the window. Browsers
  // scroll by whole pixels: what is left over is for the next time.
  const holding = (place, change, before = 0) => {
    const wanted = place() - before;
    change();
    scroll(place() - wanted);
    return place() - wanted;
  };

  // What is far from the window is laid out bit by bit, the nearest first.
  const layOut = (before) => {
    const distances = new Map(all(".cd-far").map((block) => [block, Math.abs(boxOf(block).top)]));
    const far = [...distances.keys()].sort((one, other) => distances.get(one) - distances.get(other));
    const some = far.slice(0, 8);
    const first = blocks.find((block) => boxOf(block).bottom > 0);
    // Below all blocks, the end of the page is what has to stay.
    const place = () => (first ? boxOf(first).top : boxOf(document.documentElement).bottom);
    const change = () => some.forEach(({ classList }) => classList.remove("cd-far"));
    const after = holding(place, change, before);
    if (far.length > some.length) setTimeout(layOut, 16, after);
  };

  // For each side the rows of a block: the length of the line, if any, and whether all are equal.
  const rowsOf = (element) =>
    sidesOf(element).map((side) =>
      all(".cd-e > *, .cd-d > *", side).map((line) => [
        line.localName === "i" ? -1 : line.textContent.length,
        line.parentElement.className === "cd-e",
      ]),
    );

  // About how many lines high the code is in a view, long lines wrapped. Below 40 rem, sides are
  // below each other. A character is 7.8 px wide: 0.6 of the font size.
  const linesIn = (element, view) => {
    if (!known.has(element)) known.set(element, rowsOf(element));
    const sides = known.get(element);
    const isSplit = !view && element.clientWidth >= 640;
    const columns = element.clientWidth / (isSplit ? sides.length : 1) / 7.8 - 5;
    const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
    return sum(
      sides[0].map(([, isEqual], row) => {
        const heights = sides.map((side) => side[row][0]).map((length) => Math.ceil(length / columns));
        if (isSplit) return Math.max(...heights);
        if (view === "unified") return isEqual ? heights[0] : sum(heights);
        return view ? heights[view] : sum(heights);
      }),
    );
  };

  const choose = (element, view) => {
    const others = blocks.filter(
      (other) => other === element || (isSynced(element) && isSynced(other) && key(other) === key(element)),
    );
    const isNear = (other) => {
      const { top, bottom } = boxOf(other);
      return other === element || (bottom > -innerHeight / 2 && top < 1.5 * innerHeight);
    };
    const near = others.filter(isNear);
    const height = parseFloat(getComputedStyle(element.querySelector("pre")).lineHeight);
    // From the lines that a view adds or removes.
    const expected = new Map(others.map((other) => {
      const more = linesIn(other, view) - linesIn(other, other.dataset.view);
      return [other, Math.max(other.clientHeight + more * height, height)];
    }));
    const total = (heightOf) => near.reduce((sum, other) => sum + heightOf(other), 0);
    const controls = element.querySelector(".cd-controls");
    const { top } = boxOf(controls);
    holding(() => boxOf(element).top, () => {
      for (const other of near) {
        other.classList.remove("cd-far");
        show(other, view);
      }
      // Until they are laid out, the others are as much higher or lower as those near the window.
      const ratio = total((other) => other.clientHeight) / total((other) => expected.get(other));
      for (const other of others.filter((other) => !near.includes(other))) {
        other.style.containIntrinsicBlockSize = `${ratio * expected.get(other)}px`;
        other.classList.add("cd-far");
        show(other, view);
      }
    });
    // The controls of a block that has become shorter, where its end has left the window.
    if (boxOf(controls).top < top - 1) scroll(boxOf(element).bottom - innerHeight / 2);
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
