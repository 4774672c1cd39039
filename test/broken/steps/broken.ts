export const step = 'not the default export';
