// SPDX-License-Identifier: Apache-2.0
// The pictures of one image under a slider: image, probability, mask and truth lie one over the other, and the slider
// fades from each to the next. Without scripts the links of the gallery open the pictures one by one.
"use strict";
(() => {
  const names = {image: "Image", probability: "Probability", mask: "Mask", truth: "Truth", overlay: "Overlay"};
  const figures = Array.from(document.querySelectorAll("figure[data-kinds]"));
  if (!figures.length) return;
  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const button = (text, label, action) => {
    const element = make("button", "", text);
    element.type = "button";
    element.setAttribute("aria-label", label);
    element.addEventListener("click", action);
    return element;
  };

  const dialog = make("dialog", "viewer");
  dialog.setAttribute("aria-labelledby", "viewer-title");
  const title = make("h2", "", "");
  title.id = "viewer-title";
  const stack = make("div", "stack");
  const slider = make("input");
  slider.type = "range";
  slider.min = "0";
  slider.step = "0.01";
  slider.setAttribute("aria-label", "From the image to the truth");
  const stops = make("div", "stops");
  const place = make("span", "soft");
  const bar = make("div", "bar-row");
  bar.append(button("‹ Previous", "Previous image", () => step(-1)), place,
    button("Next ›", "Next image", () => step(1)), button("Close", "Close", () => dialog.close()));
  dialog.append(title, stack, slider, stops, bar);
  document.body.append(dialog);

  let at = 0;
  let kinds = [];
  let wanted = 0;

  // Where the slider is: each layer covers those below it, and the next one shines through as far as it is reached.
  function fade() {
    const value = Number(slider.value);
    Array.from(stack.children).forEach((layer, k) => {
      layer.style.opacity = String(Math.min(1, Math.max(0, value - k + 1)));
    });
    const nearest = Math.round(value);
    slider.setAttribute("aria-valuetext", names[kinds[nearest]]);
    Array.from(stops.children).forEach((stop, k) => stop.setAttribute("aria-pressed", String(k === nearest)));
    wanted = value;
  }

  function open(index) {
    at = index;
    const figure = figures[index];
    kinds = figure.dataset.kinds.split(" ");
    title.textContent = figure.dataset.id;
    place.textContent = (index + 1) + " of " + figures.length;
    stack.replaceChildren(...kinds.map(kind => {
      const picture = make("img");
      picture.src = figure.dataset.stem + "." + kind + ".png";
      picture.alt = names[kind] + " of " + figure.dataset.id;
      return picture;
    }));
    stops.replaceChildren(...kinds.map((kind, k) => button(names[kind], "Show: " + names[kind], () => {
      slider.value = String(k);
      fade();
    })));
    slider.max = String(kinds.length - 1);
    slider.value = String(Math.min(wanted, kinds.length - 1));
    fade();
    if (!dialog.open) dialog.showModal();
  }
  const step = by => open((at + by + figures.length) % figures.length);

  slider.addEventListener("input", fade);
  dialog.addEventListener("keydown", event => {
    const by = {PageUp: -1, PageDown: 1}[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  dialog.addEventListener("click", event => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => figures[at].querySelector("a").focus());
  for (const gallery of document.querySelectorAll(".gallery")) {
    gallery.addEventListener("click", event => {
      const link = event.target.closest("a.picture");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      open(figures.indexOf(link.closest("figure")));
    });
  }
})();
