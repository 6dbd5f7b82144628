/**
 * The body of a message with a picture of its author, for Discord's `POST /channels/{id}/messages`.
 *
 *     node message.js https://killme.example.workers.dev alice
 */
import process from 'node:process';
import { createClient } from '@killme/client';

const [server, author] = process.argv.slice(2);
const killme = createClient(server);
console.log(
  JSON.stringify({
    embeds: [
      {
        author: { name: author, icon_url: killme.img(author, { size: 128 }) },
        // Discord plays GIFs, and no APNGs.
        image: { url: killme.morph(author, 'Discord', { steps: 20, loop: true, format: 'gif' }) },
      },
    ],
  }),
);
