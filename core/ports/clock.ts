/** The only source of the present in the project. */
export interface Clock {
  nowEpochMillis(): number;
}
