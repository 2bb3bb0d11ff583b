/** Request fields are typed records on the server: option values are strings, and no field is ever null. */
export interface KineticaRequest {
  readonly options: Readonly<Record<string, string>>;
  readonly [field: string]: string | number | boolean | Readonly<Record<string, string>>;
}

export interface WorkCall {
  readonly endpoint: string;
  readonly request: KineticaRequest;
  readonly limitMillis: number;
  /** `X-Kinetica-Group`: which members of an HA ring carry the call out. @default - as the server is configured */
  readonly group?: 'REPL_NONE';
}

export interface ProbeCall {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly authenticated: boolean;
}

/** What a look at an address found; no HTTP status is an error here. */
export type ProbeResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly bodyText: string }
  /** The host answered that nothing listens on the port. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent'; readonly reason: string };
