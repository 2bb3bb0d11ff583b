import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/* These ask for permissions on the whole bucket; a machine's role has what `WorkBucket.grantMapRuns` gives instead. */

export class JsonArrayInRun extends sfn.S3JsonItemReader {
  override providePolicyStatements(): [] {
    return [];
  }
}

export class JsonLinesInRun extends sfn.S3JsonLItemReader {
  override providePolicyStatements(): [] {
    return [];
  }
}

export class ResultsInRun extends sfn.ResultWriterV2 {
  override providePolicyStatements(): [] {
    return [];
  }
}
