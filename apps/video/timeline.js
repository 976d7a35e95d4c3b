// A click on a timeline goes to that moment in the player of the same view.
document.addEventListener('click', (event) => {
  const line = event.target instanceof Element && event.target.closest('.timeline');
  const video = line && line.closest('.column').querySelector('video');
  if (!video) return;
  const box = line.getBoundingClientRect();
  video.currentTime = Number(line.dataset.seconds) * (event.clientX - box.left) / box.width;
});
