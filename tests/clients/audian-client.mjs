// A thin client over fetch, with the surface that the documentation's samples use: client.numbers.search(…), .list(),
// errors with `status` and lower-case `headers`.

export class AudianError extends Error {
  constructor(status, headers, body) {
    super(body?.error?.message ?? `HTTP ${status}`);
    Object.assign(this, { status, headers, code: body?.error?.code, type: body?.error?.type, param: body?.error?.param, body });
  }
}

export class AudianClient {
  constructor({ apiKey, baseUrl }) {
    this.apiKey = apiKey;
    this.baseUrl = baseUrl;
    this.numbers = {
      search: (query) => this.request('GET', `/numbers/search?${new URLSearchParams(query)}`),
      list: (query = {}) => this.request('GET', `/numbers?${new URLSearchParams(query)}`),
      purchase: (body, headers) => this.request('POST', '/numbers/purchase', body, headers),
      configure: (id, body) => this.request('PUT', `/numbers/${id}/config`, body),
      get: (id) => this.request('GET', `/numbers/${id}`),
    };
    this.ports = { create: (body) => this.request('POST', '/ports', body) };
  }

  async request(method, path, body, headers = {}) {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: { 'X-Auth-Token': this.apiKey, ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers },
      body: body ? JSON.stringify(body) : undefined,
    });
    const sent = Object.fromEntries(response.headers);
    const text = await response.text();
    const parsed = text ? JSON.parse(text) : undefined;
    if (!response.ok) throw new AudianError(response.status, sent, parsed);
    return { status: response.status, headers: sent, ...parsed };
  }
}
