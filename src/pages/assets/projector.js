'use strict';
// Shows what the class texts where, and how many are in.
const $ = id => document.getElementById(id);
const token = location.pathname.split('/').pop();
const tell = words => { $('lost').textContent = words || ''; };

async function look() {
  const answer = await fetch('/class', { headers: { 'X-Class': token }, signal: AbortSignal.timeout(9000) });
  if (answer.status == 404) return tell($('lost').dataset.rotated);
  const now = await answer.json();
  tell();
  for (const name of ['phrase', 'in', 'seats']) $(name).textContent = now[name];
  $('of').hidden = !now.seats;
  $('in').closest('footer').hidden = false;
  if (now.qr) {
    $('qr').setAttribute('viewBox', `-4 -4 ${now.size + 8} ${now.size + 8}`);
    $('qr').firstChild.setAttribute('d', now.qr);
    $('scan').hidden = false;
  }
}

// The projector shall not go dark.
const stayAwake = () => document.hidden || navigator.wakeLock?.request('screen').catch(() => 0);
document.onvisibilitychange = stayAwake;
stayAwake();

(async () => {
  for (;; await new Promise(done => setTimeout(done, 2000))) await look().catch(() => tell($('lost').dataset.words));
})();
