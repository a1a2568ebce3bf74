'use strict';
const $ = id => document.getElementById(id);
const { reply, coder, mail, workspace } = document.body.dataset;
const sleep = time => new Promise(done => setTimeout(done, time, {}));
const limit = () => AbortSignal.timeout(9000);
// Only what changes is read out.
const fill = words => {
  for (const id in words) if ($(id).textContent !== `${words[id] ?? ''}`) $(id).textContent = words[id];
};

async function call(method, path, headers, form) {
  const answer = await fetch(path, {
    method, headers, body: form && new URLSearchParams(form), keepalive: true, signal: limit(),
  });
  return [204, 404].includes(answer.status) ? {} : answer.json();
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

// No answer of Coder can be read, but an object loads if it is 200. Else WebKit is silent; others may take longer.
let silence = 2000;
const loads = path => new Promise(done => {
  const object = document.createElement('object');
  const end = loaded => { object.remove(); done(loaded); };
  object.onload = () => end(true);
  object.onerror = () => { silence = 9000; end(false); };
  setTimeout(end, silence, false);
  object.data = coder + '/api/v2/users/' + path + '?' + Math.random();
  document.body.append(object);
});

async function waits(time) {
  for (const end = Date.now() + time; Date.now() < end; await sleep(250)) {
    fill({ seconds: Math.ceil((end - Date.now()) / 1000) });
    show('wait');
  }
}

// Goes to Coder only when the browser is proved to be signed in as the student.
async function signIn({ username, email, password, wait = 0 }, session, tell) {
  const isMine = () => loads(username + '/login-type');
  fill({ name: username, email, password });
  for (let tries = 0;;) {
    if (await session) {
      if (await isMine()) break;
      show('other');
      await sleep(2000);
    } else if (tries++ < 2) {
      await waits(wait);
      show('login');
      await fetch(coder + '/api/v2/users/login', {
        method: 'POST', mode: 'no-cors', credentials: 'include', signal: limit(),
        body: JSON.stringify({ email, password }),
      }).catch(() => 0);
      if (await isMine()) break;
      wait = 5000;
    } else {
      show('hand');
      await sleep(5000);
    }
    session = loads('me');
  }
  const { path = '' } = await Promise.race([tell(), sleep(2000)]);
  location.replace(coder + path);
}

async function join(form) {
  let secret, claim, answer, session, wake;
  const spare = reply == 'screen' ? 'moment' : 'plain';
  const say = yes => () => { answer = { claim, yes }; wake?.(); };
  $('yes').onclick = say(1);
  $('no').onclick = say(0);
  document.onvisibilitychange = () => document.hidden || wake?.();
  show('open');
  for (let failed = 0, rest;; await new Promise(done => setTimeout(wake = done, rest))) {
    const mine = { 'X-Screen': secret };
    const said = answer;
    rest = document.hidden ? 3000 : 800;
    const now = await (!secret ? call('POST', '/screen', {}, form)
      : said ? call('POST', '/screen/answer', mine, said) : call('GET', '/screen', mine)).catch(() => 0);
    if (!now) {
      if (++failed < 2) continue;
      fill({ lost: $('lost').dataset.words });
      if (!secret) show(spare);
      rest = 2000;
      continue;
    }
    failed = 0;
    // A click during a poll is still to be sent.
    if (answer == said) answer = 0;
    const { state } = now;
    if (secret || now.secret) fill({ lost: '' });
    if (now.secret) {
      secret = now.secret;
      draw(now);
      fill({ code: now.code, phrase: now.phrase ?? $('phrase').textContent });
      $('sms').href = now.sms;
      show('open');
    } else if (secret && !state) {
      secret = '';
      $('renewed').hidden = false;
    } else if (state == 'login') {
      return signIn(now, session ?? loads('me'), () => call('POST', '/screen/arrived', mine).catch(() => 0));
    } else if (state) {
      // A click meant for one question must not meet the next.
      const next = claim && now.claim && claim != now.claim;
      claim = next ? 0 : now.claim;
      session ??= now.claim && loads('me');
      if (state == 'making') rest = 300;
      fill({ ends: now.ends, words: now.words });
      show(next ? 'open' : state);
    } else {
      fill({ lost: $('lost').dataset.full });
      show(spare);
      rest = 9000;
    }
  }
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.onclick = () => {
    getSelection().selectAllChildren($(button.dataset.copy));
    if (document.execCommand('copy')) button.textContent = $('hand').dataset.done;
  };
}

async function wall() {
  (document.onvisibilitychange = () => document.hidden || navigator.wakeLock?.request('screen').catch(() => 0))();
  const token = { 'X-Class': location.pathname.split('/').pop() };
  for (;; await sleep(2000)) {
    try {
      const now = await call('GET', '/class', token);
      fill({ lost: now.phrase ? '' : $('lost').dataset.rotated });
      if (!now.phrase) continue;
      fill({ phrase: now.phrase, in: now.in, seats: now.seats });
      $('of').hidden = !now.seats;
      $('count').hidden = false;
      draw(now);
    } catch {
      fill({ lost: $('lost').dataset.words });
    }
  }
}

const [, username, password] = /^#([\w-]+):([\w-]+)$/.exec(location.hash) ?? [];
onhashchange = () => location.reload();
if (!coder) {
  wall();
} else if (password) {
  history.replaceState(null, '', '/');
  fill({ who: username });
  show('link');
  // Anybody may have sent the link, so it signs nobody in unasked.
  $('go').onclick = () => {
    show('login');
    signIn({ username, email: username + '@' + mail, password }, loads('me'), async () =>
      workspace && await loads(`${username}/workspace/${workspace}`) && { path: `/@${username}/${workspace}` });
  };
} else if (reply != 'text') {
  join(location.hash.startsWith('#class=') ? { class: location.hash.slice(7) } : {});
}
