/** What this client calls itself towards servers; the packages are versioned together. */
export const version = '0.1.0';
