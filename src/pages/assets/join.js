'use strict';
// Shows a code, asks whose phone texted it, signs this browser in to Coder, and goes there once that is proved.
const $ = id => document.getElementById(id);
const { reply, coder, mail } = document.body.dataset;
const title = document.title;
const sleep = time => new Promise(done => setTimeout(done, time));
let wake;
const rest = time => new Promise(done => setTimeout(wake = done, time));

function show(id) {
  if (!$(id).hidden) return;
  for (const section of document.querySelectorAll('section')) section.hidden = section.id != id;
  document.title = $(id).querySelector('h1').textContent + ' · ' + title;
}

// No answer of Coder can be read from here. But an object loads if the answer is 200. WebKit stays silent otherwise.
const loads = path => new Promise(done => {
  const object = document.createElement('object');
  const end = loaded => { object.remove(); done(loaded); };
  object.onload = () => end(true);
  object.onerror = () => end(false);
  setTimeout(end, 2000, false);
  object.data = coder + '/api/v2/users/' + path + '?' + Math.random();
  document.body.append(object);
});

async function call(method, path, secret, form) {
  const answer = await fetch(path, {
    method, headers: secret ? { 'X-Screen': secret } : {}, body: form && new URLSearchParams(form),
    keepalive: true, signal: AbortSignal.timeout(9000),
  });
  return answer.status == 204 || answer.json();
}

async function waits(time) {
  for (const end = Date.now() + time; Date.now() < end; await sleep(250)) {
    $('seconds').textContent = Math.ceil((end - Date.now()) / 1000);
    show('wait');
  }
}

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
  let secret, claim, answer, session;
  $('yes').onclick = () => { answer = { claim, yes: 1 }; wake(); };
  $('no').onclick = () => { answer = { claim, yes: 0 }; wake(); };
  document.onvisibilitychange = () => document.hidden || wake();
  show('open');
  for (let failed = 0, pause;; await rest(pause)) {
    let now;
    try {
      now = !secret ? await call('POST', '/screen', 0, form)
        : answer ? await call('POST', '/screen/answer', secret, answer) : await call('GET', '/screen', secret);
    } catch {
      $('lost').textContent = ++failed > 1 ? $('lost').dataset.words : '';
      if (!secret && failed > 1) show('plain');
      pause = 2000;
      continue;
    }
    failed = answer = 0;
    $('lost').textContent = '';
    pause = document.hidden ? 3000 : 800;
    if (now.secret) {
      secret = now.secret;
      draw(now);
    } else if (now.state == 'gone') {
      secret = '';
      $('renewed').hidden = false;
      pause = 0;
    } else if (now.state == 'question') {
      claim = now.claim;
      session ??= loads('me');
      $('ends').textContent = now.ends;
      show('question');
    } else if (now.state == 'login') {
      return signIn(now, session ?? loads('me'), () => call('POST', '/screen/arrived', secret).catch(() => 0));
    } else if (now.state == 'notice') {
      $('words').textContent = now.words;
      show('notice');
    } else if (now.state) {
      if (now.state == 'making') pause = 300;
      show(now.state);
    } else {
      $('full').hidden = false;
      show('plain');
      pause = 10000;
    }
  }
}

function draw({ code, phrase, sms, qr, size }) {
  $('code').textContent = code;
  if (phrase) $('phrase').textContent = phrase;
  $('sms').href = sms;
  $('qr').setAttribute('viewBox', `-4 -4 ${size + 8} ${size + 8}`);
  $('qr').firstChild.setAttribute('d', qr);
  show('open');
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.onclick = async () => {
    const text = $(button.dataset.copy);
    getSelection().selectAllChildren(text);
    const copied = navigator.clipboard
      ? await navigator.clipboard.writeText(text.textContent).then(() => true, () => false)
      : document.execCommand('copy');
    if (copied) button.textContent = button.dataset.done;
  };
}

onhashchange = () => location.reload();
const link = /^#([\w-]+):([\w-]+)$/.exec(location.hash);
if (link) {
  history.replaceState(null, '', '/');
  signIn({ username: link[1], email: link[1] + '@' + mail, password: link[2] }, loads('me'), () => 0);
} else if (reply != 'text') {
  join(location.hash.startsWith('#class=') ? { class: location.hash.slice(7) } : {});
}
