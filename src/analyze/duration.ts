/** `12.39 s`, `3 min 5 s`. */
export function seconds(value: number): string {
  const whole = Math.round(value);
  return value < 120 ? `${value.toFixed(2)} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
