import '@killme/client/element';
import { loadGenerator } from '@killme/generator';

const server = document.querySelector('meta[name=killme]').content;
document.querySelector('killme-img').setAttribute('base', server);

const generator = await loadGenerator(`${server}/generator/`);
const png = new Blob([await generator.png('alice')], { type: 'image/png' });
document.querySelector('#here').src = URL.createObjectURL(png);
