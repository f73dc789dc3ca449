/** Whether an address may be called: whoever can name one must not reach what only this machine can. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv4 } from 'node:net';

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
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  inner.addSubnet(network, bits, 'ipv6');

/** @returns whether it is an address of this machine, its network, or nobody's */
export const isInner = (address: string): boolean => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isInner(mapped);
  return inner.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
};

/** Asked anew at every try, and the answer is what is called: a name may point elsewhere a moment later. @throws Error saying why not */
export const addressOf = async (url: URL, allowInner: boolean): Promise<string> => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { address } = await lookup(host);
  if (!allowInner && isInner(address))
    throw new Error(`${host} is ${address}, an address of this machine or its network: RAMPART_WEBHOOK_ALLOW_PRIVATE=true allows it`);
  return address;
};
