/** Signs that stand behind a number: percent, degrees, minutes of arc, currencies. */
const signs = /[ \u00A0\u202F]?[%‰°′″$€£₽¥]/y;
const percent = /[ \u00A0\u202F]?[%‰°]/y;
const degrees = /[ \u00A0\u202F]?[CFKС](?![\p{L}\p{N}])/uy;
const halfDay = /[ \u00A0\u202F]?[ap]\.[ ]?m\.(?![\p{L}\p{N}])/iuy;
const symbol = /[ \u00A0\u202F]?(\p{L}{1,4})((?:[/·⋅]\p{L}{1,4})*)[²³]?(?![\p{L}\p{N}_])/uy;
/** Letters that are units by themselves, and only as they are written here. */
const letters = new Set('m s t g h l d V W J N A K M м г т л ч'.split(' '));
/** Units that are words as well: they are units where no word follows. */
const ambiguous = new Set('in с'.split(' '));
/** Units of more letters, in small ones. */
const units = new Set(
  `mm cm dm km ft yd mi µm μm nm mg kg µg μg lb lbs oz ml cl dl hl µl μl ms ns µs μs min mins sec hr hrs hz khz mhz ghz kw mw gw
   wh kwh mwh mv kv ma mah kj kcal cal pa hpa kpa mpa bar kb mb gb tb kib mib gib mol mmol ppm ppb db rpm mph kph kmh fps dpi px pt
   bps kbps mbps gbps am pm iu ha pcs
   мм см км кг мг мкг мл мин сек час руб коп тыс млн млрд шт мм га вт квт мвт мб гб тб кб гц кгц мгц ггц ккал кдж атм моль чел`.split(
    /\s+/,
  ),
);
/** A code of a currency, or a unit in capitals. */
const capitals = /^[A-Z]{3}$/;

/** Where the unit behind a number ends that ends here: 5 °C, 5 mg/kg, 90 km/h, 25 EUR, 10:30 a.m. The same place if there is none. */
export function unitEnd(text: string, at: number): number {
  const end = behind(signs, text, at);
  if (end !== null) return text[end - 1] === '°' ? (behind(degrees, text, end) ?? end) : end;
  const half = behind(halfDay, text, at);
  if (half !== null) return half;
  symbol.lastIndex = at;
  const found = symbol.exec(text);
  if (found === null) return at;
  const [whole, unit, others] = found;
  return isUnit(text, at + whole.length, unit!, others !== '') ? at + whole.length : at;
}

/** Where a percent or a degree sign ends. The same place if there is none. */
export function percentEnd(text: string, at: number): number {
  return behind(percent, text, at) ?? at;
}

function isUnit(text: string, end: number, unit: string, isChain: boolean): boolean {
  if (ambiguous.has(unit)) return isChain || !/^\s*[\p{L}\p{N}]/u.test(text.slice(end, end + 10));
  if (unit.length === 1) return letters.has(unit);
  return units.has(unit.toLowerCase()) || capitals.test(unit);
}

function behind(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}
