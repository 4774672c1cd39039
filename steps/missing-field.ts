export { requireFields } from '../engine/missing-field.ts';
