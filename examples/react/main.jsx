import { KillmeImage } from '@killme/client/react';
import { createRoot } from 'react-dom/client';

const server = document.querySelector('meta[name=killme]').content;
const users = ['alice', 'bob', 'あぎり'];

createRoot(document.querySelector('#users')).render(
  <ul>
    {users.map((user) => (
      <li key={user}>
        <KillmeImage base={server} seed={user} size={96} alt={user} /> {user}
      </li>
    ))}
  </ul>,
);
