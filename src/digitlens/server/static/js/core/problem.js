// What went wrong, as every backend tells it.

/** @typedef {Partial<Api.Problem>} Details */

/** An error of a backend: problem details, RFC 9457. */
export class Problem extends Error {
  /** @param {Details} details */
  constructor(details) {
    super(details.detail ?? "the lab could not answer");
    this.details = details;
  }

  get kind() {
    return (this.details.type ?? "").replace("urn:digitlens:", "");
  }
}
