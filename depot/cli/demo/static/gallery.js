'use strict';

const $ = (id) => document.getElementById(id);
const images = [...document.querySelectorAll('.gallery img')];

/* The figures: two that the server counts, and one that only the browser knows. */

const isCached = ({ transferSize, encodedBodySize }) => transferSize === 0 && encodedBodySize > 0;

function countCached() {
  const sources = new Set(images.map((image) => image.src));
  return performance.getEntriesByType('resource').filter((each) => sources.has(each.name) && isCached(each)).length;
}

async function ask(method) {
  const answer = await fetch('renditions', { method });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

let asking;

/* Asks for the figures; those who want them meanwhile get the next ones, together. */
function count() {
  asking = asking || new Promise((resolve) => { setTimeout(resolve, 100); }).then(() => {
    asking = null;
    return ask('GET').then(show).catch(complain);
  });
  return asking;
}

function show({ made, served }) {
  complain();
  Object.entries({ made, served, cached: countCached() }).forEach(([id, figure]) => { $(id).textContent = figure; });
}

function complain(error) {
  const message = error instanceof TypeError ? 'The server did not answer. Is depot demo still running?' : error && error.message;
  $('trouble').textContent = message || '';
  $('trouble').hidden = !message;
}

/* Asking again, past the browser's own cache, for the images that it has shown already. */

const again = (image) => fetch(image.src, { cache: 'reload' }).then((answer) => answer.blob());

async function askAgain() {
  await Promise.all(images.filter((image) => image.naturalWidth).map(again));
  return count();
}

async function makeAnew() {
  show(await ask('DELETE'));
  return askAgain();
}

function act(button, action) {
  $(button).addEventListener('click', async () => {
    $(button).disabled = true;
    await action().catch(complain);
    $(button).disabled = false;
  });
}

act('again', askAgain);
act('anew', makeAnew);
images.forEach((image) => image.addEventListener('load', count));
count();
