/** A flight that goes on some days of the week. The airlines are invented. */
export interface Departure {
  readonly flight: string;
  readonly airline: string;
  readonly from: string;
  readonly to: string;
  /** Local time. */
  readonly departs: string;
  /** 1 is Monday. */
  readonly days: readonly number[];
  /** One way, one person, on an ordinary day. */
  readonly fareEur: number;
}

const daily = [1, 2, 3, 4, 5, 6, 7];
const workdays = [1, 2, 3, 4, 5];

export const timetable: readonly Departure[] = [
  {
    flight: 'NL 202',
    airline: 'Northlight',
    from: 'Zurich',
    to: 'Copenhagen',
    departs: '07:10',
    days: daily,
    fareEur: 118,
  },
  {
    flight: 'AW 414',
    airline: 'Alpenwing',
    from: 'Zurich',
    to: 'Copenhagen',
    departs: '17:45',
    days: workdays,
    fareEur: 96,
  },
  {
    flight: 'NL 203',
    airline: 'Northlight',
    from: 'Copenhagen',
    to: 'Zurich',
    departs: '11:30',
    days: daily,
    fareEur: 121,
  },
  {
    flight: 'AW 415',
    airline: 'Alpenwing',
    from: 'Copenhagen',
    to: 'Zurich',
    departs: '20:40',
    days: workdays,
    fareEur: 99,
  },
  {
    flight: 'NL 310',
    airline: 'Northlight',
    from: 'Frankfurt',
    to: 'Copenhagen',
    departs: '08:20',
    days: daily,
    fareEur: 104,
  },
  {
    flight: 'NL 311',
    airline: 'Northlight',
    from: 'Copenhagen',
    to: 'Frankfurt',
    departs: '18:05',
    days: daily,
    fareEur: 104,
  },
  {
    flight: 'MA 21',
    airline: 'Meridian Air',
    from: 'Zurich',
    to: 'New York',
    departs: '10:00',
    days: daily,
    fareEur: 438,
  },
  {
    flight: 'MA 22',
    airline: 'Meridian Air',
    from: 'New York',
    to: 'Zurich',
    departs: '18:30',
    days: daily,
    fareEur: 452,
  },
  {
    flight: 'AW 70',
    airline: 'Alpenwing',
    from: 'Zurich',
    to: 'Chicago',
    departs: '12:55',
    days: [1, 3, 5],
    fareEur: 471,
  },
  {
    flight: 'AW 71',
    airline: 'Alpenwing',
    from: 'Chicago',
    to: 'Zurich',
    departs: '19:15',
    days: [1, 3, 5, 7],
    fareEur: 466,
  },
  {
    flight: 'MA 35',
    airline: 'Meridian Air',
    from: 'Frankfurt',
    to: 'Chicago',
    departs: '13:20',
    days: daily,
    fareEur: 489,
  },
  {
    flight: 'MA 36',
    airline: 'Meridian Air',
    from: 'Chicago',
    to: 'Frankfurt',
    departs: '16:40',
    days: daily,
    fareEur: 489,
  },
  {
    flight: 'MA 51',
    airline: 'Meridian Air',
    from: 'Frankfurt',
    to: 'Seattle',
    departs: '14:05',
    days: [2, 4, 6],
    fareEur: 512,
  },
  {
    flight: 'MA 52',
    airline: 'Meridian Air',
    from: 'Seattle',
    to: 'Frankfurt',
    departs: '15:50',
    days: [2, 4, 6],
    fareEur: 508,
  },
];
