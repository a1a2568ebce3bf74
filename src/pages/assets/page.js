'use strict';
const $ = id => document.getElementById(id);
const { reply, coder, mail } = document.body.dataset;
const sleep = time => new Promise(done => setTimeout(done, time));
const tell = words => { $('lost').textContent = words; };

async function call(method, path, headers, form) {
  const answer = await fetch(path, {
    method, headers, body: form && new URLSearchParams(form), keepalive: true, signal: AbortSignal.timeout(9000),
  });
  return answer.status == 204 || answer.status == 404 ? {} : answer.json();
}

function draw({ qr, size }) {
  $('scan').hidden = !qr;
  $('qr').setAttribute('viewBox', `-4 -4 ${size + 8} ${size + 8}`);
  $('qr').firstChild.setAttribute('d', qr);
}

const title = document.title;
function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id != id;
  document.title = $(id).querySelector('h1').textContent + ' · ' + title;
}

// No answer of Coder can be read from here, but an object loads if the answer is 200. Else WebKit stays silent.
const loads = path => new Promise(done => {
  const object = document.createElement('object');
  const end = loaded => { object.remove(); done(loaded); };
  object.onload = () => end(true);
  object.onerror = () => end(false);
  setTimeout(end, 2000, false);
  object.data = coder + '/api/v2/users/' + path + '?' + Math.random();
  document.body.append(object);
});

async function waits(time) {
  for (const end = Date.now() + time; Date.now() < end; await sleep(250)) {
    $('seconds').textContent = Math.ceil((end - Date.now()) / 1000);
    show('wait');
  }
}

// Goes to Coder only when it is proved that this browser is signed in as this student.
async function signIn({ username, email, password, wait = 0 }, session, arrived) {
  const isMine = () => loads(username + '/login-type');
  $('name').textContent = username;
  for (let tries = 0;;) {
    if (await session) {
      if (await isMine()) break;
      show('other');
      await sleep(2000);
    } else if (tries++ < 2) {
      await waits(wait);
      show('login');
      await fetch(coder + '/api/v2/users/login', {
        method: 'POST', mode: 'no-cors', credentials: 'include', body: JSON.stringify({ email, password }),
      }).catch(() => 0);
      if (await isMine()) break;
      wait = 5000;
    } else {
      $('email').textContent = email;
      $('password').textContent = password;
      show('hand');
      await sleep(5000);
    }
    session = loads('me');
  }
  await Promise.race([arrived(), sleep(2000)]);
  location.replace(coder);
}

async function join(form) {
  let secret, claim, answer, session, wake;
  const say = yes => () => { answer = { claim, yes }; wake?.(); };
  $('yes').onclick = say(1);
  $('no').onclick = say(0);
  document.onvisibilitychange = () => document.hidden || wake?.();
  show('open');
  for (let failed = 0, rest;; await new Promise(done => setTimeout(wake = done, rest))) {
    let now;
    const mine = { 'X-Screen': secret };
    const said = answer;
    rest = document.hidden ? 3000 : 800;
    try {
      now = !secret ? await call('POST', '/screen', {}, form)
        : answer ? await call('POST', '/screen/answer', mine, answer) : await call('GET', '/screen', mine);
      failed = 0;
      // A click during a poll is still to be sent.
      if (answer == said) answer = 0;
      tell('');
    } catch {
      if (++failed < 2) continue;
      tell($('lost').dataset.words);
      if (!secret) show('plain');
      rest = 2000;
      continue;
    }
    const { state } = now;
    if (now.secret) {
      secret = now.secret;
      draw(now);
      $('code').textContent = now.code;
      if (now.phrase) $('phrase').textContent = now.phrase;
      $('sms').href = now.sms;
      show('open');
    } else if (secret && !state) {
      secret = '';
      $('renewed').hidden = false;
    } else if (state == 'question') {
      claim = now.claim;
      session ??= loads('me');
      $('ends').textContent = now.ends;
      show('question');
    } else if (state == 'login') {
      return signIn(now, session ?? loads('me'), () => call('POST', '/screen/arrived', mine).catch(() => 0));
    } else if (state) {
      if (state == 'making') rest = 300;
      $('words').textContent = now.words;
      show(state);
    } else {
      $('full').hidden = false;
      show('plain');
      rest = 9000;
    }
  }
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.onclick = () => {
    getSelection().selectAllChildren($(button.dataset.copy));
    if (document.execCommand('copy')) button.textContent = button.dataset.done;
  };
}

async function wall() {
  const stayAwake = () => document.hidden || navigator.wakeLock?.request('screen').catch(() => 0);
  document.onvisibilitychange = stayAwake;
  stayAwake();
  const token = { 'X-Class': location.pathname.split('/').pop() };
  for (;; await sleep(2000)) {
    try {
      const now = await call('GET', '/class', token);
      tell(now.phrase ? '' : $('lost').dataset.rotated);
      if (!now.phrase) continue;
      for (const name of ['phrase', 'in', 'seats']) $(name).textContent = now[name];
      $('of').hidden = !now.seats;
      $('count').hidden = false;
      draw(now);
    } catch {
      tell($('lost').dataset.words);
    }
  }
}

const link = /^#([\w-]+):([\w-]+)$/.exec(location.hash);
onhashchange = () => location.reload();
if (!coder) {
  wall();
} else if (link) {
  history.replaceState(null, '', '/');
  signIn({ username: link[1], email: link[1] + '@' + mail, password: link[2] }, loads('me'), () => 0);
} else if (reply != 'text') {
  join(location.hash.startsWith('#class=') ? { class: location.hash.slice(7) } : {});
}
