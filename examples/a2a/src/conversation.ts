/** The conversation of the README, in one session; `answer` is for what is asked back. */
export const conversation: readonly { readonly message: string; readonly answer?: string }[] = [
  { message: 'We have one evening in Copenhagen. What do we do?' },
  { message: 'A dinner costs 480 DKK. How much is that in CHF?' },
  { message: 'And in USD?' },
  { message: 'I also have 50 GBP in my pocket. Convert them.', answer: 'CHF, please' },
];
