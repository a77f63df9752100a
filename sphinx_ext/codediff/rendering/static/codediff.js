// Views, copying, and folds that open together. Without it, sides stand next to each other.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = all('meta[name="codediff"]').pop().content.split("|");
  const [split, unified, view, copy, copied] = words;
  const make = (tag, properties, parent, next = null) =>
    parent.insertBefore(Object.assign(document.createElement(tag), properties), next);

  const blocks = all(".codediff-block").map((element) => {
    const titles = all(".codediff-title > .caption-text", element).map((title) => title.textContent);
    const sides = all(".codediff-side", element);
    return { element, sides, titles, key: `codediff: ${titles.join(", ")}` };
  });

  // In the unified view, rows that differ are shown side after side, as git does.
  const unify = ({ element, sides }) => {
    const columns = sides.map((side) => [...side.querySelector("pre").children]);
    const plain = (line) => /^(SPAN|DETAILS)$/.test(line.tagName) && !/cd-[bc]/.test(line.className);
    let next = 1;
    let run = [];
    const place = (line) => {
      const size = line.tagName === "DETAILS" ? line.children.length : 1;
      line.style.gridRow = `${next} / span ${size}`;
      next += size;
    };
    const flush = () => {
      for (const column of columns)
        for (const row of run)
          if (column[row].tagName !== "I" && !/cd-b/.test(column[row].className)) place(column[row]);
      run = [];
    };
    columns[0].forEach((line, row) => {
      if (!columns.every((column) => plain(column[row]))) return run.push(row);
      flush();
      place(line);
    });
    flush();
    element.style.setProperty("--titles", sides.length);
    sides.forEach((side, index) => {
      side.style.gridRow = `1 / span ${sides.length + next - 1}`;
      side.firstElementChild.style.gridRow = index + 1;
    });
  };

  const show = (block, value) => {
    const { element, sides, select } = block;
    const before = element.dataset.view ?? "";
    if (before === value) return;
    if (before === "unified") {
      element.style.removeProperty("--titles");
      for (const side of sides)
        for (const part of [side, side.firstElementChild, ...side.querySelector("pre").children])
          part.style.gridRow = "";
    }
    if (value === "unified") unify(block);
    sides.forEach((side, index) => {
      side.hidden = value in sides && +value !== index;
    });
    if (value) element.dataset.view = value;
    else delete element.dataset.view;
    if (select.value !== value) select.value = value;
  };

  const write = async (pre) => {
    const text = pre.textContent.slice(0, -1);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // The page is not secure, or may not; a selection of the code would leave out what is folded.
      const button = document.activeElement;
      const area = make("textarea", { value: text }, pre.parentElement);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
  };

  const remembered = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // Storage is off: the choice holds for this page.
    }
  };
  const remember = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {}
  };

  const asked = new URLSearchParams(location.search).get("codediff");
  for (const block of blocks) {
    const { element, sides, titles, key } = block;
    const { sync, firstView } = element.dataset;
    const frame = sides[0].parentElement;
    const select = (block.select = make("select", { ariaLabel: view, autocomplete: "off" }, frame, sides[0]));
    [[split, ""], [unified, "unified"], ...titles.map((title, index) => [title, `${index}`])].forEach(
      ([textContent, value]) => make("option", { textContent, value }, select),
    );
    const status = make("span", { role: "status" }, frame);
    sides.forEach((side, index) => {
      const label = `${copy}: ${titles[index]}`;
      const button = make("button", { className: "codediff-copy", type: "button", ariaLabel: label, title: label }, side.firstElementChild);
      button.addEventListener("click", async () => {
        await write(side.querySelector("pre"));
        button.classList.add("cd-done");
        status.textContent = copied;
        setTimeout(() => {
          button.classList.remove("cd-done");
          status.textContent = "";
        }, 2000);
      });
    });
    select.addEventListener("change", () => {
      const { value } = select;
      const top = element.getBoundingClientRect().top;
      const others = blocks.filter(
        (other) => other === block || (sync !== undefined && other.key === key && "sync" in other.element.dataset),
      );
      // What is far from the window is not laid out until it comes near.
      const near = others.map((other) => {
        const { top, bottom } = other.element.getBoundingClientRect();
        return bottom > -innerHeight && top < 2 * innerHeight;
      });
      others.forEach((other, index) => {
        other.element.classList.remove("cd-later");
        other.element.classList.toggle("cd-now", !near[index]);
        show(other, value);
      });
      requestAnimationFrame(() =>
        requestAnimationFrame(() => all(".cd-now").forEach(({ classList }) => classList.replace("cd-now", "cd-later"))),
      );
      if (sync !== undefined) remember(key, value);
      const address = new URL(location.href);
      if (address.searchParams.has("codediff")) {
        address.searchParams.delete("codediff"); // The reader has chosen anew.
        history.replaceState(history.state, "", address);
      }
      scrollBy({ top: element.getBoundingClientRect().top - top, behavior: "instant" });
    });
    const known = [...select.options].map((option) => option.value);
    const names = new Map([["side-by-side", ""], ["unified", "unified"]]);
    titles.forEach((title, index) => {
      for (const name of [title, sides[index].dataset.title]) names.set(name, `${index}`);
    });
    const wanted = [
      names.get(asked),
      sync !== undefined ? remembered(key) : null,
      firstView,
    ];
    show(block, wanted.find((value) => known.includes(value)) ?? "");
  }

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
      for (const pre of all("pre", block)) all("details", pre)[index].open = target.open;
    },
    true,
  );
})();
