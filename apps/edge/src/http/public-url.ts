/**
 * The address of a request as its client knows it: a proxy in front that speaks TLS says so in
 * `X-Forwarded-Proto`.
 */
export function publicUrl(request: Request): URL {
  const url = new URL(request.url);
  const [protocol = ''] = (request.headers.get('X-Forwarded-Proto') ?? '').split(',');
  if (/^https?$/i.test(protocol.trim())) url.protocol = protocol.trim();
  return url;
}
