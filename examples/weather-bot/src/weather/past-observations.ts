import type { Weather } from './weather.ts';

interface Observation {
  readonly city: string;
  readonly country: string;
  readonly temperatureC: number;
  readonly dewPointC: number;
  readonly windKnots: number;
  readonly conditions: string;
  /** The airport's report that the rest is read from. */
  readonly metar: string;
}

const day = '2019-07-01';

// Routine reports of airports (METAR), as they were sent out on 1 July 2019 about 12:00 UTC.
const observations: readonly Observation[] = [
  {
    city: 'Seattle',
    country: 'United States',
    temperatureC: 16.1,
    dewPointC: 9.4,
    windKnots: 4,
    conditions: 'mostly clear',
    metar: 'KSEA 011153Z 08004KT 10SM FEW120 FEW250 16/09 A3007',
  },
  {
    city: 'New York',
    country: 'United States',
    temperatureC: 21.7,
    dewPointC: 15,
    windKnots: 11,
    conditions: 'clear sky',
    metar: 'KJFK 011151Z 01011G18KT 10SM CLR 22/15 A2993',
  },
  {
    city: 'Los Angeles',
    country: 'United States',
    temperatureC: 17.8,
    dewPointC: 15,
    windKnots: 3,
    conditions: 'mostly clear',
    metar: 'KLAX 011153Z 25003KT 10SM FEW009 18/15 A2995',
  },
  {
    city: 'Chicago',
    country: 'United States',
    temperatureC: 21.1,
    dewPointC: 19.4,
    windKnots: 3,
    conditions: 'overcast',
    metar: 'KORD 011151Z 27003KT 10SM FEW060 SCT130 OVC250 21/19 A3002',
  },
  {
    city: 'Denver',
    country: 'United States',
    temperatureC: 16.7,
    dewPointC: 15.6,
    windKnots: 9,
    conditions: 'partly cloudy',
    metar: 'KDEN 011153Z 33009KT 8SM FEW110 SCT150 SCT220 17/16 A3016',
  },
  {
    city: 'Honolulu',
    country: 'United States',
    temperatureC: 26.7,
    dewPointC: 21.1,
    windKnots: 3,
    conditions: 'mostly cloudy',
    metar: 'PHNL 011153Z VRB03KT 10SM FEW025 FEW039 BKN070 27/21 A2997',
  },
  {
    city: 'Frankfurt',
    country: 'Germany',
    temperatureC: 27,
    dewPointC: 11,
    windKnots: 9,
    conditions: 'mostly clear',
    metar: 'EDDF 011150Z 33009KT 270V010 9999 FEW045CB 27/11 Q1017',
  },
  {
    city: 'Copenhagen',
    country: 'Denmark',
    temperatureC: 21,
    dewPointC: 11,
    windKnots: 17,
    conditions: 'mostly cloudy',
    metar: 'EKCH 011150Z 26017KT 230V300 9999 SCT052CB BKN084 21/11 Q1009',
  },
  {
    city: 'Zurich',
    country: 'Switzerland',
    temperatureC: 31,
    dewPointC: 17,
    windKnots: 12,
    conditions: 'mostly clear',
    metar: 'LSZH 011150Z 13012KT 110V170 9999 FEW060TCU 31/17 Q1018',
  },
  {
    city: 'Tel Aviv',
    country: 'Israel',
    temperatureC: 31,
    dewPointC: 22,
    windKnots: 13,
    conditions: 'mostly clear',
    metar: 'LLBG 011150Z 30013KT 270V340 9999 FEW030 31/22 Q1007',
  },
  {
    city: 'Ulaanbaatar',
    country: 'Mongolia',
    temperatureC: 19,
    dewPointC: 7,
    windKnots: 4,
    conditions: 'mostly clear',
    metar: 'ZMUB 011200Z VRB02MPS 9999 FEW030CB FEW033 19/07 Q1013',
  },
  {
    city: 'Luanda',
    country: 'Angola',
    temperatureC: 24,
    dewPointC: 20,
    windKnots: 7,
    conditions: 'mostly cloudy',
    metar: 'FNLU 011200Z 28007KT 8000 BKN022 24/20 Q1013',
  },
  {
    city: 'Santiago',
    country: 'Chile',
    temperatureC: -1,
    dewPointC: -1,
    windKnots: 2,
    conditions: 'patches of fog',
    metar: 'SCEL 011200Z 01002KT 3000 0800S BCFG NSC M01/M01 Q1022',
  },
  {
    city: 'Florianopolis',
    country: 'Brazil',
    temperatureC: 16,
    dewPointC: 14,
    windKnots: 9,
    conditions: 'rain',
    metar: 'SBFL 011200Z 16009KT 4800 RA SCT010 OVC025 16/14 Q1017',
  },
];

/** The cities there is an observation of. */
export const observedCities: readonly string[] = observations.map((each) => each.city);

/** What was once observed in a city; `undefined` where nothing is bundled. It says of itself that it is old. */
export function pastObservation(city: string): Weather | undefined {
  const found = observations.find((each) => plain(each.city) === plain(city));
  if (found === undefined) return undefined;
  const time = /^\w{4} 01(\d\d)(\d\d)Z/.exec(found.metar);
  return {
    city: found.city,
    country: found.country,
    temperatureC: found.temperatureC,
    humidityPercent: humidity(found.temperatureC, found.dewPointC),
    windKmh: Math.round(found.windKnots * 1.852),
    conditions: found.conditions,
    observedAt: `${day}T${time?.[1]}:${time?.[2]}Z`,
    source: `bundled observation of ${day}`,
  };
}

/** Without accents, case and what follows a comma: `Zürich, CH` is `zurich`. */
function plain(city: string): string {
  return city
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .replace(/,.*$/, '')
    .trim()
    .toLowerCase();
}

/** Relative humidity in per cent, by the Magnus formula (constants of Alduchov and Eskridge, 1996). */
function humidity(temperatureC: number, dewPointC: number): number {
  const pressure = (t: number): number => Math.exp((17.625 * t) / (243.04 + t));
  return Math.round((100 * pressure(dewPointC)) / pressure(temperatureC));
}
