declare const RANKVAULT_CONFIG_JSON: string;

/** Stands for a Lambda that reads the configuration it was bundled with. */
export async function handler(): Promise<unknown> {
  return JSON.parse(RANKVAULT_CONFIG_JSON);
}
