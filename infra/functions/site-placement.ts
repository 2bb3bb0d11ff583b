import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { ClusterConfig } from '../../core/config/schema.ts';
import { addStatement } from '../storage/object-grants.ts';
import type { FunctionName } from './function-names.ts';

type Network = NonNullable<ClusterConfig['network']>;
type Mount = NonNullable<ClusterConfig['mount']>;

/** The functions that write to a cluster's files. */
const ROOT_WRITERS: readonly FunctionName[] = ['mark-target', 'restore-parts'];

/** Where the functions of a site run. Everything is named by the configuration, so that nothing is looked up at synthesis. */
export class SitePlacement extends Construct {
  readonly key: string;
  readonly #network: Pick<lambda.FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> | undefined;
  readonly #mount: Mount | undefined;

  constructor(scope: Construct, key: string, cluster: Pick<ClusterConfig, 'network' | 'mount'>) {
    super(scope, 'Placement');
    this.key = key;
    this.#network = cluster.network === undefined ? undefined : importNetwork(this, cluster.network);
    this.#mount = cluster.mount;
  }

  functionProps(name: FunctionName): Partial<lambda.FunctionOptions> {
    const filesystem =
      this.#mount === undefined ? {} : { filesystem: new MountedAccessPoint(this.#mount, ROOT_WRITERS.includes(name)) };
    return { ...this.#network, ...filesystem };
  }

  /** Instead of the managed policy for VPC access; EC2 takes no resource for these (Lambda guide, VPC permissions). */
  grantNetworkInterfaces(role: iam.IRole): void {
    if (this.#network !== undefined) {
      addStatement(
        role,
        [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        ['*'],
      );
    }
  }
}

/** As `FileSystem.fromEfsAccessPoint`, but only writers may write, and every permission is bound to the access point. */
class MountedAccessPoint extends lambda.FileSystem {
  constructor(mount: Mount, writes: boolean) {
    super({
      localMountPath: mount.path,
      arn: mount.accessPointArn,
      policies: [
        new iam.PolicyStatement({
          actions: ['elasticfilesystem:ClientMount', ...(writes ? ['elasticfilesystem:ClientWrite'] : [])],
          resources: [mount.fileSystemArn],
          conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': mount.accessPointArn } },
        }),
      ],
    });
  }
}

function importSubnet(scope: Construct, id: string): ec2.ISubnet {
  const subnet = ec2.Subnet.fromSubnetId(scope, id, id);
  const reason = 'Functions are put into the subnet; nobody asks for its route table.';
  Validations.of(subnet).acknowledge({ id: '@aws-cdk/aws-ec2:noSubnetRouteTableId', reason });
  return subnet;
}

function importNetwork(scope: Construct, network: Network) {
  const vpc = ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: network.vpcId,
    availabilityZones: [...network.availabilityZones],
  });
  const subnets = network.subnetIds.map((id) => importSubnet(scope, id));
  const securityGroups = network.securityGroupIds.map((id) =>
    ec2.SecurityGroup.fromSecurityGroupId(scope, id, id, { mutable: false }),
  );
  return { vpc, vpcSubnets: { subnets }, securityGroups };
}
