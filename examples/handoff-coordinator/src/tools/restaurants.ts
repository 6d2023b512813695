export interface Restaurant {
  readonly name: string;
  readonly city: string;
  readonly kitchen: string;
  /** Dinner for one. */
  readonly dinnerEur: number;
  /** 1 is Monday. */
  readonly closed: readonly number[];
}

// The restaurants are invented, and the guide has no page of some cities.
export const restaurants: readonly Restaurant[] = [
  { name: 'Havnegrill', city: 'Copenhagen', kitchen: 'fish', dinnerEur: 46, closed: [1] },
  { name: 'Tusmørke', city: 'Copenhagen', kitchen: 'Nordic', dinnerEur: 88, closed: [7, 1] },
  { name: 'Zum Kessel', city: 'Zurich', kitchen: 'Swiss', dinnerEur: 52, closed: [7] },
  { name: 'Mainblick', city: 'Frankfurt', kitchen: 'Hessian', dinnerEur: 34, closed: [] },
  { name: 'Elm Street Diner', city: 'New York', kitchen: 'American', dinnerEur: 29, closed: [] },
];
