// cspell:words AROA fsap
import { createHash } from 'node:crypto';
import { ACCOUNT, PARTITION, REGION } from './assembly-model.ts';

/** What CloudFormation would give a resource once it exists. */
export interface PhysicalResource {
  readonly name: string;
  readonly arn: string;
  /** The value of Ref. */
  readonly ref: string;
  /** The values of Fn::GetAtt that are known here. */
  readonly attributes: Readonly<Record<string, string>>;
}

interface KindContext {
  readonly name: string;
  /** Resolved; only what naming needs is asked for. */
  readonly property: (key: string) => unknown;
}

interface Kind {
  readonly nameProperty?: string;
  readonly nameMaxCharacters?: number;
  readonly isLowerCase?: boolean;
  /** For resources whose Ref is an id and not a name: `vpc-0a1b...`. */
  readonly idPrefix?: string;
  readonly build: (context: KindContext) => Omit<PhysicalResource, 'name'>;
}

function arn(service: string, rest: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${rest}`;
}

function byArn(resourceArn: string, attributes: Record<string, string> = {}): Omit<PhysicalResource, 'name'> {
  return { arn: resourceArn, ref: resourceArn, attributes: { Arn: resourceArn, ...attributes } };
}

function byName(
  name: string,
  resourceArn: string,
  attributes: Record<string, string> = {},
): Omit<PhysicalResource, 'name'> {
  return { arn: resourceArn, ref: name, attributes: { Arn: resourceArn, ...attributes } };
}

/** An EC2-like thing: its Ref is its id. */
function byId(prefix: string, type: string, attribute: string): Kind {
  return { idPrefix: prefix, build: ({ name }) => byName(name, arn('ec2', `${type}/${name}`), { [attribute]: name }) };
}

const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    nameMaxCharacters: 63,
    isLowerCase: true,
    build: ({ name }) =>
      byName(name, `arn:${PARTITION}:s3:::${name}`, {
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${REGION}.amazonaws.com`,
      }),
  },
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    nameMaxCharacters: 64,
    build: ({ name }) => byName(name, arn('lambda', `function:${name}`)),
  },
  'AWS::Lambda::LayerVersion': {
    nameProperty: 'LayerName',
    build: ({ name }) => byArn(arn('lambda', `layer:${name}:1`)),
  },
  'AWS::IAM::Role': {
    nameProperty: 'RoleName',
    nameMaxCharacters: 64,
    build: ({ name }) =>
      byName(name, `arn:${PARTITION}:iam::${ACCOUNT}:role/${name}`, { RoleId: `AROA${hash(name, 17)}` }),
  },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    build: ({ name }) => byArn(`arn:${PARTITION}:iam::${ACCOUNT}:policy/${name}`),
  },
  'AWS::StepFunctions::StateMachine': {
    nameProperty: 'StateMachineName',
    nameMaxCharacters: 80,
    build: ({ name }) => byArn(arn('states', `stateMachine:${name}`), { Name: name }),
  },
  'AWS::Scheduler::Schedule': {
    nameProperty: 'Name',
    nameMaxCharacters: 64,
    build: ({ name, property }) =>
      byName(name, arn('scheduler', `schedule/${String(property('GroupName') ?? 'default')}/${name}`)),
  },
  'AWS::Scheduler::ScheduleGroup': {
    nameProperty: 'Name',
    nameMaxCharacters: 64,
    build: ({ name }) => byName(name, arn('scheduler', `schedule-group/${name}`)),
  },
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    nameMaxCharacters: 80,
    build: ({ name }) => {
      const url = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
      return { ...byName(url, arn('sqs', name), { QueueName: name, QueueUrl: url }) };
    },
  },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    build: ({ name }) => byArn(arn('sns', name), { TopicArn: arn('sns', name), TopicName: name }),
  },
  'AWS::KMS::Key': {
    idPrefix: 'key',
    build: ({ name }) => byName(name, arn('kms', `key/${name}`), { KeyId: name }),
  },
  'AWS::KMS::Alias': { nameProperty: 'AliasName', build: ({ name }) => byName(name, arn('kms', name)) },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    build: ({ name }) => byName(name, arn('logs', `log-group:${name}:*`)),
  },
  'AWS::SecretsManager::Secret': {
    nameProperty: 'Name',
    build: ({ name }) =>
      byArn(arn('secretsmanager', `secret:${name}-${hash(name, 6)}`), {
        Id: arn('secretsmanager', `secret:${name}-${hash(name, 6)}`),
      }),
  },
  'AWS::Events::Rule': { nameProperty: 'Name', build: ({ name }) => byName(name, arn('events', `rule/${name}`)) },
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    build: ({ name }) => byName(name, arn('cloudwatch', `alarm:${name}`)),
  },
  'AWS::EFS::FileSystem': {
    idPrefix: 'fs',
    build: ({ name }) => byName(name, arn('elasticfilesystem', `file-system/${name}`), { FileSystemId: name }),
  },
  'AWS::EFS::AccessPoint': {
    idPrefix: 'fsap',
    build: ({ name }) => byName(name, arn('elasticfilesystem', `access-point/${name}`), { AccessPointId: name }),
  },
  'AWS::EC2::VPC': byId('vpc', 'vpc', 'VpcId'),
  'AWS::EC2::Subnet': byId('subnet', 'subnet', 'SubnetId'),
  'AWS::EC2::SecurityGroup': byId('sg', 'security-group', 'GroupId'),
  'AWS::EC2::RouteTable': byId('rtb', 'route-table', 'RouteTableId'),
  'AWS::EC2::VPCEndpoint': byId('vpce', 'vpc-endpoint', 'Id'),
};

const OTHER: Kind = { build: ({ name }) => ({ arn: '', ref: name, attributes: {} }) };

/**
 * The physical resource that CloudFormation might have made: the template's own name where it has one, otherwise one
 * made from stack and logical id, always the same.
 */
export function physicalResource(
  type: string,
  { stackName, logicalId }: { readonly stackName: string; readonly logicalId: string },
  property: (key: string) => unknown,
): PhysicalResource {
  const kind = KINDS[type] ?? OTHER;
  const given = kind.nameProperty === undefined ? undefined : property(kind.nameProperty);
  const name = typeof given === 'string' ? given : generatedName(kind, `${stackName}-${logicalId}`);
  return { name, ...kind.build({ name, property }) };
}

function generatedName(kind: Kind, base: string): string {
  if (kind.idPrefix !== undefined) return `${kind.idPrefix}-${hash(base, 17)}`;
  const cased = kind.isLowerCase === true ? base.toLowerCase() : base;
  const max = kind.nameMaxCharacters ?? 128;
  return cased.length <= max ? cased : `${cased.slice(0, max - 9)}-${hash(base, 8)}`;
}

function hash(text: string, characters: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, characters);
}
