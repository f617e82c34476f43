// Numbers as people read them.

export const ESTIMATED = "≈ ";

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.00995) return `${(value * 1e3).toFixed(2)} ms`;
  if (value < 0.9995) return `${(value * 1e3).toFixed(value < 0.0995 ? 1 : 0)} ms`;
  return value < 99.95 ? `${value.toFixed(value < 9.995 ? 2 : 1)} s` : `${Math.round(value)} s`;
}

export function money(amount, currency) {
  const value = Number(amount);
  const size = Math.abs(value);
  // Three significant digits where cents would hide everything.
  const digits = size === 0 || size >= 1 ? 2 : Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(size))));
  const range = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  if (!currency) return "–";
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency, ...range }).format(value);
  } catch {
    return `${new Intl.NumberFormat("en", range).format(value)} ${currency}`;
  }
}

export function percent(share, digits = 0) {
  if (share === null || share === undefined) return "–";
  const shown = (share * 100).toFixed(share > 0 && share < 0.1 ? Math.max(1, digits) : digits);
  return `${shown} %`;
}

export function count(value) {
  return new Intl.NumberFormat("en").format(value);
}

export function times(ratio) {
  return `${ratio >= 100 ? Math.round(ratio) : ratio.toFixed(1)}×`;
}
