export interface Hotel {
  readonly name: string;
  readonly city: string;
  /** Of 5. */
  readonly rating: number;
  /** A room for two, on an ordinary night. */
  readonly nightEur: number;
}

// The hotels are invented.
export const hotels: readonly Hotel[] = [
  { name: 'Nyhavn Quarters', city: 'Copenhagen', rating: 4.6, nightEur: 189 },
  { name: 'Harbour House', city: 'Copenhagen', rating: 4.2, nightEur: 134 },
  { name: 'Vesterbro Rooms', city: 'Copenhagen', rating: 3.7, nightEur: 92 },
  { name: 'Limmat Hof', city: 'Zurich', rating: 4.5, nightEur: 214 },
  { name: 'Sihl Rooms', city: 'Zurich', rating: 3.9, nightEur: 128 },
  { name: 'Main Terrace', city: 'Frankfurt', rating: 4.1, nightEur: 119 },
  { name: 'Messe Inn', city: 'Frankfurt', rating: 3.6, nightEur: 84 },
  { name: 'Lakeshore House', city: 'Chicago', rating: 4.4, nightEur: 176 },
  { name: 'Loop Rooms', city: 'Chicago', rating: 3.8, nightEur: 117 },
  { name: 'Hudson Yard House', city: 'New York', rating: 4.3, nightEur: 241 },
  { name: 'Queens Rooms', city: 'New York', rating: 3.6, nightEur: 139 },
  { name: 'Pioneer House', city: 'Seattle', rating: 4.3, nightEur: 168 },
  { name: 'Lake Union Rooms', city: 'Seattle', rating: 3.9, nightEur: 121 },
];
