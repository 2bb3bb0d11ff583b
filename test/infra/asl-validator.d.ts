/** The package has no types of its own. */
declare module 'asl-validator' {
  interface Validation {
    readonly isValid: boolean;
    readonly errorsText: (separator: string) => string;
  }
  function validate(definition: unknown, options?: { readonly checkArn?: boolean }): Validation;
  export = validate;
}
