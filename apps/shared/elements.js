// What the scripts of several views share: colours, elements that appear later, and values for the page's text boxes.
window.elements = {
  COLOURS: ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#a08b00', '#7f7f7f', '#444c56'],  // Okabe and Ito's; the legends' in workbench.css

  // Call a function once for each element that a selector finds, now or later.
  each: (selector, ready) => {
    const known = new WeakSet();  // another script may wait for the same element
    const look = () => document.querySelectorAll(selector).forEach((element) => {
      if (known.has(element)) return;
      known.add(element);
      element.dataset.ready = '1';
      ready(element);
    });
    const watch = () => { look(); new MutationObserver(look).observe(document.body, {childList: true, subtree: true}); };
    if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
  },

  // Type a value into a text box, so that the page notices.
  type: (id, value) => {
    const box = document.querySelector(`#${id} textarea, #${id} input`);
    if (box) window.elements.put(box, value);
  },
  put: (box, value) => {
    const proto = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, 'value').set.call(box, value);
    box.dispatchEvent(new Event('input', {bubbles: true}));
  },
};

// The page's address, for what restores a form from it.
window.elements.each('#address textarea, #address input', (box) => { if (location.search) window.elements.put(box, location.search); });

// Gradio's name for the small button that adds files is a key without a translation.
window.elements.each('[aria-label="common.upload"]', (button) => { button.ariaLabel = button.title = 'Add files'; });

// A button of a list gives what it stands for to a text box; when, too: a second choice of one thing is a change.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-types]');
  if (button) window.elements.type(button.dataset.types, `${button.dataset.value};${Date.now()}`);
});

// A button of “What now?” opens a view, and presses an element there once it is drawn.
document.addEventListener('click', (event) => {
  const {opens, press} = event.target.closest('[data-opens]')?.dataset ?? {};
  if (!opens) return;
  location.hash = opens;
  const begun = Date.now(), wait = setInterval(() => {
    const target = press && document.getElementById(press);
    if (target?.offsetParent) {
      (target.querySelector(':scope > button.label-wrap') ?? target).click();
      target.scrollIntoView({block: 'nearest'});
    }
    if (!press || target?.offsetParent || Date.now() - begun > 10000) clearInterval(wait);
  }, 100);
});
