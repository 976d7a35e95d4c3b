// A visit survives a reload: what was typed and chosen, which images were given, and what was asked stay in this browser
// (IndexedDB), and nowhere else. A link holds the form of a view, a file holds all. What is restored is typed, chosen
// and pressed as a visitor would, so the page answers again and its limits hold for a stranger's link or file too.
(() => {
  const {each, put} = window.elements;
  const NAME = 'clip-workbench', LARGEST = 10e6, MOST = 64, LONGEST = 20000, REMOVE = 'button[aria-label="Remove Image"], button[aria-label="Clear"]';
  const LATEST = 8000, STEP = 1200;  // milliseconds until the example of a view that was drawn is there; until a widget has drawn a change
  const none = () => ({form: {}, files: {}, asked: {}, view: ''});
  let kept = none(), timer = null, ready = false;

  // What a link or a file holds, without what is none of a visit.
  const checked = ({form, files, asked, view}) => ({form: {...form}, files: {...files}, asked: Object.fromEntries(Object.entries({...asked}).map(([key, one]) => [key, {...one}])), view: String(view ?? '')});

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

  // A widget is known by its id, or by its view and label.
  const BLOCKS = '#views .block, #tour-kept, #model-menu';
  const viewOf = (element) => element.closest('#views > .tabitem');
  const keyOf = (block) => {
    if (block.querySelector('.block, .table-wrap')) return '';
    if (block.id && !/^component-/.test(block.id)) return block.id;
    const label = block.querySelector('[data-testid=block-info], label span')?.textContent.trim();
    return label ? `${viewOf(block)?.id}: ${label}`.slice(0, 200) : '';
  };
  const example = (element) => viewOf(element)?.querySelector('.example-mark:not(.gone)')?.offsetParent;

  const TEXT = 'textarea, input[type=text], input[type=number]', CHECKED = 'input[type=checkbox], input[type=radio]';
  const enabled = (input) => input && !input.readOnly && !input.disabled;
  const choice = (block) => block.querySelector('input[role=combobox]');
  const tokens = (block) => [...block.querySelectorAll('.token')].map((one) => one.textContent.trim());

  // The value of a widget: a text, the chosen texts of a list, or which boxes are ticked.
  const valueOf = (block) => {
    if (choice(block)) return block.querySelector('.token, .remove-all') ? tokens(block) : choice(block).value;
    const boxes = [...block.querySelectorAll(CHECKED)];
    if (boxes.length) return boxes.map((one) => one.checked);
    const text = block.querySelector(TEXT);
    return enabled(text) ? text.value : undefined;
  };

  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const pick = async (block, text) => {
    choice(block).focus();
    await pause(200);
    const option = [...document.querySelectorAll('ul[role=listbox] [role=option]')].find((one) => one.getAttribute('aria-label') === text || one.textContent.replace('✓', '').trim() === text);
    option?.dispatchEvent(new MouseEvent('mousedown', {bubbles: true}));
    await pause(100);
    choice(block).blur();
  };

  const fill = async (block, value) => {
    if (JSON.stringify(valueOf(block)) === JSON.stringify(value)) return;
    const boxes = [...block.querySelectorAll(CHECKED)];
    if (choice(block)) {
      const [now, wanted] = [tokens(block), [value].flat()];
      for (const text of Array.isArray(value) ? [...now.filter((one) => !wanted.includes(one)), ...wanted.filter((one) => !now.includes(one))] : wanted) await pick(block, text);
    } else if (boxes.length && Array.isArray(value)) {
      boxes.forEach((one, at) => { if (one.checked !== value[at] && (one.type === 'checkbox' || value[at])) one.click(); });
    } else if (typeof value === 'string' && enabled(block.querySelector(TEXT))) put(block.querySelector(TEXT), value.slice(0, LONGEST));
  };

  const keep = async () => {
    for (const block of document.querySelectorAll(BLOCKS)) {
      const key = keyOf(block);
      if (!key || example(block)) continue;
      const value = valueOf(block);
      if (value !== undefined) kept.form[key] = value;
      if (!block.querySelector(REMOVE)) continue;
      const sources = [...new Set([...block.querySelectorAll('img, a[href][download]')].map((one) => one.src || one.href))].filter((one) => one.startsWith(location.origin));
      if (!sources.length || JSON.stringify(sources) === JSON.stringify(kept.files[key]?.map(({src}) => src))) continue;
      const held = [];
      for (const src of sources.slice(0, MOST)) {
        const blob = await (await fetch(src)).blob();
        if (blob.size <= LARGEST) held.push({src, file: new File([blob], decodeURIComponent(src.split('/').pop()), {type: blob.type})});
      }
      kept.files[key] = held;
    }
    kept.view = location.hash;
    await store('readwrite', (rows) => rows.put(kept, 'now'));
  };
  const later = () => { if (!ready) return; clearTimeout(timer); timer = setTimeout(() => keep().catch(() => {}), 700); };

  const choose = (block, held, tries = 20) => {
    const input = block.querySelector('input[type=file]');
    if (!input || block.querySelector(REMOVE)) {
      block.querySelector(REMOVE)?.click();
      if (tries) setTimeout(() => choose(block, held, tries - 1), 250);
      return;
    }
    const files = new DataTransfer();
    for (const {file} of held.slice(0, MOST)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };

  // Wait for the example of a view, which would overwrite what is restored; none comes where a link holds a form.
  const settled = async (element, time) => {
    const view = viewOf(element), end = Date.now() + (view ? time : 0);
    const there = () => Boolean(view?.querySelector('.example-mark')?.offsetParent);
    while (Date.now() < end && !there()) await pause(200);
    await pause(300);
    return there();
  };
  const uploaded = async (view) => {
    const missing = () => [...view.querySelectorAll('.block')].some((block) => kept.files[keyOf(block)]?.length && !block.querySelector(REMOVE));
    for (const end = Date.now() + LATEST; missing() && Date.now() < end;) await pause(200);
  };

  const restore = (shared) => {
    if (kept.view && !location.hash) location.hash = kept.view;
    each(BLOCKS, async (block) => {
      const key = keyOf(block), value = kept.form[key], held = kept.files[key];
      if (value === undefined && !held?.length) return;
      for (const time of shared ? [0] : [LATEST, 8 * LATEST]) {  // a server with much to do sends the example late
        const there = await settled(block, time);
        if (time > LATEST && !there) return;
        if (held?.length) choose(block, held);
        await pause(STEP);  // an example that was taken brings labels of its own
        if (value !== undefined) await fill(block, value);
        if (there) return;
      }
    });
    const press = (id, late) => id && each(`#${CSS.escape(id)}`, async (button) => {
      if (!viewOf(button) || !button.matches('button.primary, .examples-row button')) return;
      await settled(button, shared ? 0 : LATEST);
      if (late) { await pause(2 * STEP); await uploaded(viewOf(button)); }
      button.click();
    });
    for (const {taken, go} of Object.values(kept.asked)) {
      if (shared) press(taken);
      else press(go, true);
    }
  };

  const save = async () => {
    await keep();
    const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(await window.visitFile.pack(kept)), download: 'clip-workbench-visit.zip'});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const status = Object.assign(document.createElement('p'), {role: 'status'});
  const say = (text) => { status.textContent = text; };
  const open = async (file) => {
    const visit = await window.visitFile.open(file).catch(() => null);
    if (!visit) { say('This file is not a visit that was saved here.'); return; }
    ready = false;
    await store('readwrite', (rows) => rows.put(checked(visit), 'now'));
    history.replaceState(null, '', location.pathname + (/^#[a-z0-9-]+$/.test(visit.view) ? visit.view : ''));
    location.reload();
  };

  // The link of a view's form: texts and choices, and the example that was taken; images of one's own stay at home.
  const link = async () => {
    const view = document.querySelector('#views > .tabitem:not([style*="display: none"])'), form = {};
    for (const block of view.querySelectorAll('.block')) {
      const key = keyOf(block), value = key && valueOf(block);
      if (key && value !== undefined && JSON.stringify(value).length < 2000) form[key] = value;
    }
    const text = JSON.stringify({form, asked: {[view.id]: {taken: kept.asked[view.id]?.taken ?? (example(view.firstElementChild) && view.querySelector('.examples-row button')?.id)}}});
    const address = new URL(location.href);
    address.search = `?form=${btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll('+', '-').replaceAll('/', '_')}`;
    await navigator.clipboard?.writeText(address.href).catch(() => {});
    history.replaceState(null, '', address);
    say('The address of this page now holds the form; it was copied.');
  };
  const linked = () => {
    const text = new URLSearchParams(location.search).get('form');
    if (!text) return null;
    try {
      const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
      return checked({...JSON.parse(new TextDecoder().decode(bytes)), files: {}});
    } catch { return null; }
  };

  const afresh = async () => {
    ready = false;
    await store('readwrite', (rows) => rows.delete('now'));
    location.replace(location.pathname);
  };

  each('#visit', (row) => row.append(status));
  for (const [id, act] of Object.entries({afresh, save, link})) each(`#visit-${id}`, (button) => button.addEventListener('click', act));
  each('#visit-open', (button) => button.addEventListener('click', () => {
    const input = Object.assign(document.createElement('input'), {type: 'file', accept: '.zip'});
    input.addEventListener('change', () => open(input.files[0]));
    input.click();
  }));
  const dropped = (event) => [...(event.dataTransfer?.files ?? [])].find((file) => /^clip-workbench-visit.*\.zip$/i.test(file.name));
  document.addEventListener('dragover', (event) => { if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); });
  document.addEventListener('drop', (event) => {
    const file = dropped(event);
    if (file) { event.stopImmediatePropagation(); open(file); }
    if (event.dataTransfer?.files.length) event.preventDefault();
  }, true);
  document.addEventListener('click', (event) => {
    const button = event.target.closest('#views button.primary, #views .examples-row button');
    const view = button && viewOf(button)?.id;
    if (view && button.id) kept.asked[view] = {...kept.asked[view], [button.matches('.primary') ? 'go' : 'taken']: button.id};
  }, true);
  each('#views', async () => {
    const shared = linked(), before = shared ?? await store('readonly', (rows) => rows.get('now')).catch(() => null);
    if (before && (shared || !location.search)) { kept = {...none(), ...before}; restore(Boolean(shared)); }
    setTimeout(() => { ready = true; }, before ? LATEST : 0);
    for (const kind of ['input', 'change', 'click', 'drop']) document.addEventListener(kind, later, true);
    window.addEventListener('hashchange', later);
  });
})();
