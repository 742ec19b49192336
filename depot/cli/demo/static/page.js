'use strict';

const LIMIT = Number(document.body.dataset.limit);
const NARROW = matchMedia('(max-width: 900px)');  // the story is below the documents then
const SHOWN_UNTOUCHED = 2;
const NOTES = { new: 'new', gone: 'removed', loose: 'waits for the end' };

const WORDS = {
  commit: {
    upload: 'Committed: what was uploaded is there to stay.',
    replace: 'Committed: the new file is there to stay, and after the COMMIT the old one was removed.',
    delete: 'Committed: the row is gone, and after the COMMIT its file was removed.',
  },
  rollback: {
    upload: 'Rolled back: no row, and no file is left of it.',
    replace: 'Rolled back: the new file is gone, the old one was there all the time.',
    delete: 'Rolled back: the row is back, and its file was there all the time.',
  },
};

const $ = (id) => document.getElementById(id);
const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);
const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function readable(size) {
  if (size === null) return 'size unknown';
  if (size < 1000) return plural(size, 'byte');
  const step = Math.min(3, Math.floor(Math.log10(size) / 3));
  const value = size / 1000 ** step;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${['', 'kB', 'MB', 'GB'][step]}`;
}

/* The list of documents. All that comes from a file's name goes in as text, never as HTML. */

function documentItem(doc) {
  const item = copyOf('document');
  const image = item.querySelector('img');
  const suffix = doc.name.includes('.') ? doc.name.split('.').pop() : doc.type.split('/').pop();
  item.querySelectorAll('a').forEach((link) => { link.href = doc.url; });
  item.querySelector('.picture').tabIndex = -1;  // the name is the same link
  item.querySelector('.picture').setAttribute('aria-hidden', 'true');
  item.querySelector('bdi').textContent = doc.name;
  item.querySelector('.name').title = doc.name;
  item.querySelector('.kind').textContent = suffix.slice(0, 5);
  const facts = item.querySelector('.facts');
  facts.textContent = facts.title = `${readable(doc.size)} · ${doc.type}`;
  if (doc.type.startsWith('image/')) {
    image.onerror = () => image.remove();
    image.src = doc.url;
  } else {
    image.remove();
  }
  button(item, 'replace', doc, () => chooseReplacement(doc));
  button(item, 'delete', doc, () => change('delete', doc, 'DELETE'));
  return item;
}

function button(item, act, doc, onclick) {
  const found = item.querySelector(`button.${act}`);
  found.id = `${act}-${doc.id}`;
  found.setAttribute('aria-label', `${found.textContent} ${doc.name}`);
  found.onclick = onclick;
}

function showDocuments(state) {
  const focused = document.activeElement && document.activeElement.id;
  $('documents').replaceChildren(...state.documents.map(documentItem));
  $('empty').hidden = state.documents.length > 0;
  if (/^(replace|delete)-/.test(focused)) ($(focused) || $('title')).focus();
}

/* The transaction: the folder before it, inside it, and after its end. */

function showTransaction(action, end, { before, inside, after }) {
  const steps = [before, inside, after];
  const documents = steps.flatMap((step) => step.documents);
  const names = new Map(documents.map((doc) => [doc.file, doc.name]));
  const files = [...new Set(steps.flatMap((step) => step.files))].sort();
  const touched = files.filter((file) => steps.some((step) => fateOf(file, step, before) !== 'same'));
  const untouched = files.filter((file) => !touched.includes(file));
  const titles = ['Before', 'Inside, after the flush', `After the ${end === 'commit' ? 'COMMIT' : 'ROLLBACK'}`];
  $('steps').replaceChildren(...steps.map((step, index) => {
    const earlier = new Set(steps.slice(0, index).flatMap((each) => each.files));
    const shown = touched.filter((file) => step.files.includes(file) || earlier.has(file));
    return stepItem(titles[index], step, shown.map((file) => fileItem(file, fateOf(file, step, before), names)),
      untouched.map((file) => fileItem(file, 'same', names)));
  }));
  $('steps').dataset.end = end;
  $('story').textContent = WORDS[end][action];
}

function fateOf(file, step, before) {
  if (!step.files.includes(file)) return 'gone';
  if (!before.files.includes(file)) return 'new';
  return step.documents.some((doc) => doc.file === file) ? 'same' : 'loose';
}

function stepItem(title, step, touched, untouched) {
  const item = copyOf('step');
  const list = item.querySelector('.files');
  item.querySelector('h3').textContent = title;
  item.querySelector('.counts').textContent = counts(step);
  list.append(...touched, ...untouched.slice(0, SHOWN_UNTOUCHED));
  const hidden = untouched.length - SHOWN_UNTOUCHED;
  if (hidden > 0) list.append(made('li', 'more', `and ${hidden} more, untouched`));
  if (!list.children.length) list.remove();
  return item;
}

function fileItem(file, fate, names) {
  const item = made('li', fate, '');
  item.title = file;
  if (NOTES[fate]) item.append(made('span', 'note', NOTES[fate]));
  item.prepend(made('bdi', '', names.get(file) || 'a file that no row names'));
  item.append(made('code', '', file.slice(-4)));
  return item;
}

function made(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const counts = (state) => `${plural(state.documents.length, 'row')} · ${plural(state.files.length, 'file')}`;

function showVerdict(state) {
  const wanted = state.documents.map((doc) => doc.file).sort();
  const agree = wanted.join() === [...state.files].sort().join();
  $('verdict').textContent = agree
    ? `${counts(state)}: the database and the folder agree.`
    : `${counts(state)}: they do not agree. Was the folder changed by hand?`;
  $('verdict').classList.toggle('wrong', !agree);
}

function show(state) {
  showDocuments(state);
  showVerdict(state);
}

/* Talking to the server: one request at a time. */

let queue = Promise.resolve();

function inTurn(work) {
  queue = queue.then(work).catch((error) => complain(error.message)).finally(() => { $('progress').hidden = true; });
  return queue;
}

function ask(method, url, files, doing) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = 'json';
    request.onload = () => (request.status === 200 && request.response
      ? resolve(request.response)
      : reject(Object.assign(
        new Error((request.response && request.response.error) || `The server answered ${request.status}.`),
        { vanished: request.status === 404 },
      )));
    request.onerror = () => reject(new Error('The server did not answer. Is depot demo still running?'));
    if (files) request.upload.onprogress = (event) => showProgress(doing, event);
    request.send(files && formOf(files));
  });
}

function formOf(files) {
  const form = new FormData();
  files.forEach((file) => form.append('files', file));
  return form;
}

function showProgress(doing, { loaded, total }) {
  const percent = total ? Math.floor((100 * loaded) / total) : 0;
  $('progress').hidden = false;
  $('doing').textContent = percent < 100 ? `${doing} … ${percent} %` : 'Storing …';
  $('bar').value = percent;
}

function change(action, doc, method, files, doing) {
  const end = document.querySelector('input[name=end]:checked').value;
  return inTurn(async () => {
    complain('');
    try {
      const steps = await ask(method, `documents${doc ? `/${doc.id}` : ''}?end=${end}`, files, doing);
      show(steps.after);
      showTransaction(action, end, steps);
      if (NARROW.matches) $('story').scrollIntoView({ block: 'center' });
    } catch (error) {
      if (error.vanished) show(await ask('GET', 'documents'));
      throw error;
    }
  });
}

function complain(message) {
  $('trouble').textContent = message;
  $('trouble').hidden = !message;
}

/* Choosing and dropping files. */

function refusal(files) {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (!files.length) return 'Nothing was chosen: choose a file, or drop one on the page.';
  if (size > LIMIT) return `Too large: ${readable(size)}. One upload has up to ${readable(LIMIT)}.`;
  return '';
}

function upload(files) {
  const message = refusal(files);
  if (message) return complain(message);
  const what = files.length === 1 ? files[0].name : plural(files.length, 'file');
  return change('upload', null, 'POST', files, `Uploading ${what}`);
}

function chooseReplacement(doc) {
  const input = $('replacement');
  input.value = '';
  input.onchange = () => {
    const files = [...input.files];
    const message = refusal(files);
    if (message) complain(message);
    else change('replace', doc, 'PUT', files, `Replacing ${doc.name}`);
  };
  input.click();
}

$('chosen').addEventListener('change', ({ target }) => {
  const files = [...target.files];  // a copy: clearing the input, so that the same file can be chosen again, empties it
  target.value = '';
  if (files.length) upload(files);
});

const drop = document.querySelector('.drop');
addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
addEventListener('dragleave', (event) => { if (!event.relatedTarget) drop.classList.remove('over'); });
addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  upload([...event.dataTransfer.files]);
});

inTurn(async () => show(await ask('GET', 'documents')));
