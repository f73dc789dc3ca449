/** Whether an address may be called: whoever can name one must not reach what only this machine can. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv4 } from 'node:net';
import { DomainError } from '@rampart/domain';

/** Token: whether addresses of this machine and its network may be called. */
export const ALLOW_INNER = 'webhooks:allow-inner';

const inner = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  inner.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  inner.addSubnet(network, bits, 'ipv6');

/** @returns whether it is an address of this machine, its network, or nobody's */
export const isInner = (address: string): boolean => {
  return inner.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
};

/** Says early what every try would say; a name that can't be looked up now may be there later. @throws DomainError webhook-address-inner */
export const requireReachable = async (target: string, allowInner: boolean): Promise<void> => {
  const refusal = await addressOf(new URL(target), allowInner).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refusal instanceof InnerAddress) throw new DomainError('webhook-address-inner', refusal.message, { path: '/url' });
};

class InnerAddress extends Error {
  override readonly name = 'InnerAddress';
}

/** Asked anew at every try, and the answer is what is called: a name may point elsewhere a moment later. @throws InnerAddress, or whatever keeps the name from being looked up */
export const addressOf = async (url: URL, allowInner: boolean): Promise<string> => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { address } = await lookup(host);
  if (!allowInner && isInner(address))
    throw new InnerAddress(
      `${host} is ${address}, an address of this machine or its network: RAMPART_WEBHOOK_ALLOW_PRIVATE=true allows it`,
    );
  return address;
};
