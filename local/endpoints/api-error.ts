/** An answer that is no success, in the words of the service: the SDK makes the error class of that name of it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errorType: string;
  readonly statusCode: number;

  constructor(errorType: string, message: string, statusCode = 400) {
    super(message);
    this.errorType = errorType;
    this.statusCode = statusCode;
  }
}

export function notImplemented(operation: string): ApiError {
  return new ApiError(
    'NotImplemented',
    `The local endpoint has no ${operation}. Teach local/endpoints/ or do not call it.`,
    501,
  );
}

export function validationError(problem: string): ApiError {
  return new ApiError('ValidationException', problem);
}
