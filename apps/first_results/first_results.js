// The mark of an example goes with the visitor's own input: typing, a file, a button that asks, an image sent from elsewhere.
(() => {
  const hide = (mark) => mark.classList.add('gone');
  const own = (event) => {
    const at = event.target.closest && event.target.closest('#views > .tabitem');
    if (event.type === 'click') {
      const sends = event.target.closest('.send-to button[id*="-to-"]');
      if (sends) { document.querySelectorAll(`.example-mark[id^="${sends.id.split('-to-').pop()}"]`).forEach(hide); return; }
      if (!event.target.closest('button.primary, .examples-row button')) return;
    }
    if (at) at.querySelectorAll('.example-mark').forEach(hide);
  };
  for (const kind of ['input', 'change', 'drop', 'paste', 'click']) document.addEventListener(kind, own, true);
})();
