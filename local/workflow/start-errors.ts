/** Answers of the Step Functions API, by its own names. */

export class StateMachineDoesNotExist extends Error {
  override readonly name = 'StateMachineDoesNotExist';

  constructor(stateMachineArn: string) {
    super(`State Machine Does Not Exist: '${stateMachineArn}'. Start one of those in the assembly.`);
  }
}

export class ExecutionDoesNotExist extends Error {
  override readonly name = 'ExecutionDoesNotExist';

  constructor(executionArn: string) {
    super(`Execution Does Not Exist: '${executionArn}'. Take the ARN from a listing.`);
  }
}

export class ExecutionAlreadyExists extends Error {
  override readonly name = 'ExecutionAlreadyExists';

  constructor(executionArn: string) {
    super(`Execution Already Exists: '${executionArn}'. Choose another name: names are used once.`);
  }
}

export class InvalidName extends Error {
  override readonly name = 'InvalidName';

  constructor(name: string) {
    super(
      `Invalid Name: '${name}'. Use 1 to 80 characters, no space, none of < > { } [ ] ? * " # % \\ ^ | ~ \` $ & , ; : /.`,
    );
  }
}
