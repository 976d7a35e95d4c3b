// Gradio uploads the files of a chosen folder under their bare names. Inside a `folder-box` each file's name is made to
// tell where it lies, with a slash that a file's name may hold; what is neither a picture nor a CSV stays at home. A box
// that is `or-zip` takes one zip as well: dropped, or chosen with a button of its own.
(() => {
  const SLASH = '\u2215';
  const WANTED = /\.(png|jpe?g|webp|csv)$/i;

  const named = (file, path) => new File([file], path.replaceAll('/', SLASH), {type: file.type});
  const give = (input, files) => {
    const zips = input.closest('.or-zip') ? files.filter((file) => /^[^\u2215]+\.zip$/i.test(file.name)) : [];
    const kept = zips.length ? zips : files.filter((file) => WANTED.test(file.name) && !/(^|\u2215)\./.test(file.name));
    const carried = new DataTransfer();
    kept.forEach((file) => carried.items.add(file));
    input.files = carried.files;
  };

  document.addEventListener('change', (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement && input.webkitdirectory && input.closest('.folder-box'))) return;
    give(input, Array.from(input.files).map((file) => named(file, file.webkitRelativePath || file.name)));
  }, true);

  window.elements.each('.or-zip input[type=file]', (input) => {
    const button = Object.assign(document.createElement('button'), {type: 'button', className: 'choose-zip', textContent: 'or choose a zip'});
    button.addEventListener('click', () => {
      input.webkitdirectory = false;
      input.accept = '.zip';
      input.addEventListener('change', () => { input.webkitdirectory = true; }, {once: true});
      input.addEventListener('cancel', () => { input.webkitdirectory = true; }, {once: true});
      input.click();
    });
    input.closest('.or-zip').append(button);
    const gone = new MutationObserver(() => { if (!input.isConnected) { button.remove(); gone.disconnect(); } });
    gone.observe(input.closest('.or-zip'), {childList: true, subtree: true});
  });

  const below = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      return [named(file, entry.fullPath.replace(/^\//, ''))];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {  // a reader gives at most a hundred entries at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return found;
      for (const inner of some) found.push(...await below(inner));
    }
  };

  document.addEventListener('drop', async (event) => {
    const box = event.target instanceof Element && event.target.closest('.folder-box');
    const input = box && box.querySelector('input[type=file]');
    if (!input) return;
    event.preventDefault();
    event.stopPropagation();
    const entries = Array.from(event.dataTransfer.items, (item) => item.webkitGetAsEntry()).filter(Boolean);
    const files = (await Promise.all(entries.map(below))).flat();
    give(input, files);
    input.dispatchEvent(new Event('change'));
  }, true);
})();
