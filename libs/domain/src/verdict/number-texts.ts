/** Numbers in sentences for people: short, and two that differ never look the same. */

/** `44700` → `44,700` */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** `0.0824` → `8.24 %`, three significant digits. */
export const percent = (share: number): string => `${plain(share * 100)} %`;

/** Three significant digits without trailing zeros. */
export const plain = (value: number): string => {
  const text = value.toPrecision(3);
  return text.includes('e') ? String(Number(text)) : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
};

/** `p 0.0021 < 0.0250`: with as many digits as it takes to tell them apart. */
export const againstLevel = (p: number, level: number): string => {
  const relation = p <= level ? (p === level ? '=' : '<') : '>';
  for (let digits = 2; digits <= 17; digits++) {
    const [left, right] = [probability(p, digits), probability(level, digits)];
    if (left !== right || p === level) return `p ${left} ${relation} ${right}`;
  }
  return `p ${p} ${relation} ${level}`;
};

const probability = (value: number, digits: number): string => {
  if (value === 0) return '0';
  if (value < 1e-4) return value.toExponential(digits - 1);
  const text = value.toPrecision(digits);
  return value > 0.1 ? text : value.toFixed(Math.max(4, digits));
};

/** `E 312 ≥ 222`: evidence against the threshold at which it is an alarm. */
export const againstThreshold = (logE: number, logThreshold: number): string => {
  const relation = logE >= logThreshold ? '≥' : '<';
  for (let digits = 3; digits <= 15; digits++) {
    const [left, right] = [exponential(logE, digits), exponential(logThreshold, digits)];
    if (left !== right || logE === logThreshold) return `E ${left} ${relation} ${right}`;
  }
  return `ln E ${logE} ${relation} ${logThreshold}`;
};

/** e to this power, also where that is beyond a double. */
export const exponential = (log: number, digits = 3): string => {
  const log10 = log / Math.LN10;
  if (log10 >= 9 || log10 < -4) {
    const exponent = Math.floor(log10);
    return `${Number((10 ** (log10 - exponent)).toPrecision(digits))}e${exponent < 0 ? '' : '+'}${exponent}`;
  }
  const [whole = '', ...fraction] = String(Number(Math.exp(log).toPrecision(digits))).split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
};

/** Twelve digits: a record made on another machine is the same. */
export const recorded = (value: number): number => Number(value.toPrecision(12));

/** As people write a known time of this century. */
export const instant = (atUs: number): string => new Date(atUs / 1000).toISOString();
