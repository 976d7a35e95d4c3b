// A visit survives a reload: what was typed and which images were chosen stay in this browser (IndexedDB), and nowhere
// else. What is restored is typed and chosen as a visitor would, so the page answers again and its limits hold.
(() => {
  const {each, type} = window.elements;
  const NAME = 'clip-workbench', LARGEST = 10e6, REMOVE = 'button[aria-label="Remove Image"], button[aria-label="Clear"]';
  const SETTLED = 1500;  // milliseconds after which a view that was just drawn has its example
  let kept = {boxes: {}, images: {}, view: ''}, timer = null, ready = false;

  const store = (mode, work) => new Promise((done, failed) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('visit');
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const asked = work(opening.result.transaction('visit', mode).objectStore('visit'));
      asked.onsuccess = () => { opening.result.close(); done(asked.result); };
      asked.onerror = () => failed(asked.error);
    };
  });

  const typed = () => document.querySelectorAll('#views [id] textarea, #views [id] input[type=text]:not([role=listbox]), #tour-kept textarea');
  const example = (element) => element.closest('.tabitem')?.querySelector('.example-mark:not(.gone)')?.offsetParent;
  const named = (element) => element.closest('.block[id], .bridge[id]')?.id;

  const keep = async () => {
    for (const box of typed()) {
      const id = named(box);
      if (id && !example(box) && !box.readOnly && !box.disabled && !/^component-/.test(id)) kept.boxes[id] = box.value;
    }
    for (const image of document.querySelectorAll('#views .block[id] img')) {
      const root = image.closest('.block[id]');
      if (example(root) || !root.querySelector(REMOVE)) continue;
      if (/^component-/.test(root.id) || !image.src || kept.images[root.id]?.src === image.src) continue;
      const blob = await (await fetch(image.src)).blob();
      if (blob.size <= LARGEST) kept.images[root.id] = {src: image.src, file: new File([blob], decodeURIComponent(image.src.split('/').pop()), {type: blob.type})};
    }
    kept.view = location.hash;
    await store('readwrite', (rows) => rows.put(kept, 'now'));
  };
  const later = () => { if (!ready) return; clearTimeout(timer); timer = setTimeout(() => keep().catch(() => {}), 700); };

  const choose = (id, file, tries = 20) => {
    const root = document.getElementById(id), input = root?.querySelector('input[type=file]');
    if (!input || root.querySelector(REMOVE)) {
      root?.querySelector(REMOVE)?.click();
      if (tries) setTimeout(() => choose(id, file, tries - 1), 250);
      return;
    }
    const files = new DataTransfer();
    files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };

  const restore = () => {
    if (kept.view && !location.hash && !location.search) location.hash = kept.view;
    for (const [id, value] of Object.entries(kept.boxes)) {
      each(`#${CSS.escape(id)}`, () => setTimeout(() => type(id, value), 2 * SETTLED));
    }
    for (const [id, image] of Object.entries(kept.images)) {
      each(`#${CSS.escape(id)}`, () => setTimeout(() => choose(id, image.file), SETTLED));
    }
  };

  const afresh = async () => {
    ready = false;
    await store('readwrite', (rows) => rows.delete('now'));
    location.replace(location.pathname);
  };

  each('#visit-afresh', (button) => button.addEventListener('click', afresh));
  each('#views', async () => {
    const before = await store('readonly', (rows) => rows.get('now')).catch(() => null);
    if (before && !location.search) { kept = before; restore(); }
    setTimeout(() => { ready = true; }, before ? 4 * SETTLED : 0);
    for (const kind of ['input', 'change', 'click', 'drop']) document.addEventListener(kind, later, true);
    window.addEventListener('hashchange', later);
  });
})();
