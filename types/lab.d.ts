// Made by tools/page_types.py of the OpenAPI document and the page: change those.

declare namespace Api {
  interface Alternative { text: string; probability: number }
  interface Answer { network: string; digit: number | null; likeliest: number; confidence: number; probabilities: number[]; no_digit: number | null; unsure: boolean }
  interface Cell { layer: number; map: number; row: number; column: number; top: number | null; left: number | null; window: any[]; kernel: any[] | null; products: any[] | null; sum: number | null; bias: number | null; rest: number | null; before: number; value: number; activation: string; bend: string; words: string }
  interface CellPicture { index: number; confidence: number; picture: string }
  interface CellPictures { truth: number; answer: number; count: number; pictures: CellPicture[] }
  interface Claim { person: string; token?: string; after?: number; wait?: number }
  interface Claimed { task: MailTask | null; queue: Queue }
  interface ClassFigures { digit: number; count: number; misses: number; answered: number; wrong: number | null; unsure: number | null; refused: number | null; recall: number | null; precision: number | null }
  interface Corrections { count: number; first: number; corrections: MailCorrection[]; save: string }
  interface Decisions { wrong: number; unsure: number; refused: number }
  interface DigitMap { network: string; source: string; layer: number; share: number; mean: number[]; components: number[][]; points: number[][]; labels: number[]; answers: number[]; index: number[] }
  interface EndEvent { event: "end"; run: string; words: string; verdict: string; best_epoch: number; misses: number; count: number; left_out?: string[] }
  interface Epoch { epoch: number; train_loss: number; train_accuracy: number; validation_loss: number | null; validation_accuracy: number | null; learning_rate: number; seconds: number; digits_per_second: number }
  interface EpochEvent { epoch: number; train_loss: number; train_accuracy: number; validation_loss: number | null; validation_accuracy: number | null; learning_rate: number; seconds: number; digits_per_second: number; event: "epoch" }
  interface Explained { model: string; digit: number; layers: (LayerMaps | ShadedMaps)[]; pixels?: number[][]; member: number; shown: string; answer?: string; confidence?: number; probabilities?: number[]; steps?: FramingStep[]; unrolled?: number[]; occlusion?: OcclusionMap; mattered?: string; gradients?: number[][] | null; without_gradients?: string; links?: number[][][]; picture?: Read }
  interface FailedEvent { event: "failed"; problem: Problem }
  interface FramingStep { name: string; about: string; picture: string; height: number; width: number }
  interface Guess { zip: string; probability: number; city: string | null; state: string | null }
  interface Health { status: "ok" }
  interface KernelEdit { picture: string | number[][]; network?: string; layer?: number; member?: number; frame?: boolean; channel?: number | null; kernel: number[][][]; bias?: number; stride?: number | null; padding?: number | null; activation?: boolean }
  interface KernelMap { height: number; width: number; arithmetic: Record<string, string>; before: number[][]; map: number[][] }
  interface Kernels { layer: LayerName; kernels: any[]; biases: number[]; first: number; count: number }
  interface LayerMaps { name: string; about: string; number: number; member: number; kind: "convolution" | "dense" | "pooling"; window: number; stride: number; padding: number; groups: number; shortcut: boolean; activation: string; bend: string; into: number[]; shape: number[]; arithmetic: string | null; weights: number; values: any[] }
  interface LayerName { name: string; about: string }
  interface LayerSettings { name: string; about: string; number: number; member: number; kind: "convolution" | "dense" | "pooling"; window: number; stride: number; padding: number; groups: number; shortcut: boolean; activation: string; bend: string; into: number[]; shape: number[]; arithmetic: string | null; weights: number }
  interface Lent { piece: number; seconds: number }
  interface Line { format: number; text: string; confidence: number; box: number[]; digits: LineDigit[]; alternatives: Alternative[] }
  interface LineDigit { text: string; confidence: number; box: number[]; alternatives: Alternative[] }
  interface Lines { width: number; height: number; turn: number; lines: Line[] }
  interface Loan { token: string }
  interface MailCorrection { piece: number; picture: string | null; zip: string | null; person: string; at: number; text: string; guesses: TrayGuess[]; box: number[] | null; boxes: number[][] }
  interface MailPicture { width: number; height: number; box: number[] | null; view: number[] | null }
  interface MailState { open: boolean; folder: string | null; queue: Queue | null; how: string[] }
  interface MailTask { piece: number; token: string; seconds: number; name: string; reason: string | null; why: string; text: string; guesses: TrayGuess[]; picture: MailPicture | null; problem: string | null }
  interface Measured { model: string; source: string; count: number; misses: number; accuracy: number; interval: number[]; decisions: Decisions | null; per_class: ClassFigures[]; confusion: number[][]; words: string }
  interface Nearest { source: string; index: number; label: number; distance: number; picture: string }
  interface Network { name: string; kind: "published" | "run"; network: string; weights: number; multiply_adds: number; members: number; tells_no_digit: boolean; validation: Record<string, number>; test: Record<string, number>; trained_on: number; data: string; created: string; threshold: number }
  interface NetworkDetails { name: string; card: Record<string, any>; cascade: boolean; members: number; layers: LayerSettings[] }
  interface NetworkList { networks: Network[]; trainable: Trainable[]; reader: boolean; data: Record<string, boolean> }
  interface OcclusionMap { odds: number; window: number; fall: number[][]; answers: number[][] }
  interface OwnDigit { picture: string | number[][]; label: number; box?: number[] | null }
  interface OwnDigits { digits: OwnDigit[]; frame?: boolean }
  interface OwnLabel { label: number; count: number; names: string[] }
  interface OwnList { folder: string; count: number; digits: OwnLabel[]; train: string }
  interface OwnName { label: number; name: string }
  interface OwnSaved { folder: string; count: number; digits: OwnLabel[]; train: string; saved: OwnName[] }
  interface PartUse { part: "test" | "validation" | "train" | "all"; count: number; seen: "no" | "some" | "all"; words: string }
  interface Parts { network: string; data: string; parts: PartUse[]; opened: number | null }
  interface Pictures { pictures: (string | number[][])[] }
  interface Predicted { pictures: Read[] }
  interface Problem { type: string; title: string; status: number; detail: string; seen?: string | null; likely?: string | null; try?: string | null }
  interface Queue { waiting: number; lent: number; settled: number; unsortable: number; yours: number; trays: Record<string, number> }
  interface Read { box: number[] | null; light_ink: boolean | null; unchanged: boolean; several: number | null; pixels?: number[][] | null; answers: Answer[] }
  interface Routed { zip: string | null; zip4: string | null; probability: number; reason: string | null; why: string; text: string; guesses: Guess[]; tray: string | null; plant: string | null; barcode: string | null }
  interface Run { name: string; network: string | null; seed: number | null; epochs: number | null; data: string | null; created: string | null; finished: boolean; validation: Record<string, number> | null }
  interface RunDetails { name: string; network: string | null; seed: number | null; epochs: number | null; data: string | null; created: string | null; finished: boolean; validation: Record<string, number> | null; config: Record<string, any>; history: Epoch[]; words: string | null; verdict: string | null; metrics: Record<string, any> | null }
  interface RunList { runs: Run[] }
  interface RunName { name: string }
  interface Sample { source: string; index: number; count: number; label: number; pixels: number[][] }
  interface Settled { piece: number; tray: string; queue: Queue }
  interface Settlement { token: string; zip: string | null; unlisted?: boolean }
  interface ShadedMaps { name: string; about: string; number: number; member: number; kind: "convolution" | "dense" | "pooling"; window: number; stride: number; padding: number; groups: number; shortcut: boolean; activation: string; bend: string; into: number[]; shape: number[]; arithmetic: string | null; weights: number; shades: string; signed: boolean; most: number; peaks: number[] }
  interface SortedPiece { piece: number; name: string; new: boolean; decision: string; zip: string | null; zip4: string | null; probability: number; reason: string | null; why: string; text: string; tray: string; plant: string | null; file: string; barcode: string | null }
  interface StartEvent { event: "start"; steps: number; epochs: number; digits_per_epoch: number; note: string }
  interface StepEvent { event: "step"; done: number; steps: number }
  interface StoppedEvent { event: "stopped"; words: string }
  interface TakeBack { person: string; token?: string }
  interface TrainBegun { run: string; events: string; stop: string }
  interface TrainState { running: boolean; run: string | null; wish: Record<string, any> | null; last_step: StepEvent | null; events: (StartEvent | EpochEvent | WeightsEvent | EndEvent | StoppedEvent | FailedEvent)[] }
  interface TrainWish { network?: string; data?: string; epochs?: number | null; share?: number | null; seed?: number; from?: string | null; resume?: string | null; recipe?: string | null; layers?: string | null; activation?: string | null; learning_rate?: number | null; batch?: number | null; dropout?: number | null; optimizer?: string | null; augment?: string | null }
  interface Trainable { name: string; about: string }
  interface TrayGuess { zip: string; probability: number; city: string | null; state: string | null; tray: string }
  interface WeightsEvent { event: "weights"; side: number; count: number; shown: number; shades: string }
  interface ZipPlace { zip: string; listed: boolean; city: string | null; state: string | null; county: string | null; tray: string }
  type Get<P extends string> =
    P extends `/v1/networks/${string}/layers/${string}` ? Kernels :
    P extends `/v1/mail/zips/${string}` ? ZipPlace :
    P extends `/v1/mail/corrections` ? Corrections :
    P extends `/v1/mistakes/cell` ? CellPictures :
    P extends `/v1/mistakes/parts` ? Parts :
    P extends `/v1/networks/${string}` ? NetworkDetails :
    P extends `/v1/runs/${string}` ? RunDetails :
    P extends `/v1/mail` ? MailState :
    P extends `/v1/map` ? DigitMap :
    P extends `/v1/mistakes` ? Measured :
    P extends `/v1/networks` ? NetworkList :
    P extends `/v1/own` ? OwnList :
    P extends `/v1/runs` ? RunList :
    P extends `/v1/sample` ? Sample :
    P extends `/v1/train` ? TrainState :
    P extends `/healthz` ? Health :
    never;
  type Post<P extends string> =
    P extends `/v1/mail/pieces/${string}/release` ? Lent :
    P extends `/v1/mail/pieces/${string}/renew` ? Lent :
    P extends `/v1/mail/pieces/${string}/settle` ? Settled :
    P extends `/v1/mail/pieces/${string}/take-back` ? Claimed :
    P extends `/v1/explain/cell` ? Cell :
    P extends `/v1/explain/kernel` ? KernelMap :
    P extends `/v1/explain/nearest` ? Nearest :
    P extends `/v1/mail/claim` ? Claimed :
    P extends `/v1/mail/pieces` ? SortedPiece :
    P extends `/v1/runs/${string}` ? RunDetails :
    P extends `/v1/explain` ? Explained :
    P extends `/v1/own` ? OwnSaved :
    P extends `/v1/predict` ? Predicted :
    P extends `/v1/read` ? Lines :
    P extends `/v1/route` ? Routed :
    P extends `/v1/train` ? TrainBegun :
    never;
  type Remove<P extends string> =
    P extends `/v1/own/${string}/${string}` ? OwnList :
    P extends `/v1/runs/${string}` ? RunList :
    P extends `/v1/train/${string}` ? TrainState :
    never;
  type Body<P extends string> =
    P extends `/v1/mail/pieces/${string}/release` ? Loan :
    P extends `/v1/mail/pieces/${string}/renew` ? Loan :
    P extends `/v1/mail/pieces/${string}/settle` ? Settlement :
    P extends `/v1/mail/pieces/${string}/take-back` ? TakeBack :
    P extends `/v1/explain/cell` ? Pictures :
    P extends `/v1/explain/kernel` ? KernelEdit :
    P extends `/v1/explain/nearest` ? Pictures :
    P extends `/v1/mail/claim` ? Claim :
    P extends `/v1/mail/pieces` ? Pictures :
    P extends `/v1/runs/${string}` ? RunName :
    P extends `/v1/explain` ? Pictures :
    P extends `/v1/own` ? OwnDigits :
    P extends `/v1/predict` ? Pictures :
    P extends `/v1/read` ? Pictures :
    P extends `/v1/route` ? Pictures :
    P extends `/v1/train` ? TrainWish :
    never;
}

/** The elements of the page. */
interface PageIds {
  "skip": HTMLElementTagNameMap["a"];
  "now-picture": HTMLElementTagNameMap["canvas"];
  "now-digit": HTMLElementTagNameMap["strong"];
  "now-sure": HTMLElementTagNameMap["span"];
  "network": HTMLElementTagNameMap["select"];
  "nav-digit": HTMLElementTagNameMap["h2"];
  "nav-teach": HTMLElementTagNameMap["h2"];
  "nav-work": HTMLElementTagNameMap["h2"];
  "main": HTMLElementTagNameMap["main"];
  "offline": HTMLElementTagNameMap["div"];
  "save-png": HTMLElementTagNameMap["button"];
  "save-svg": HTMLElementTagNameMap["button"];
  "view-draw": HTMLElementTagNameMap["section"];
  "h-draw": HTMLElementTagNameMap["h1"];
  "tour-invitation": HTMLElementTagNameMap["p"];
  "paper": HTMLElementTagNameMap["div"];
  "pad": HTMLElementTagNameMap["canvas"];
  "cells": HTMLElementTagNameMap["canvas"];
  "pad-hint": HTMLElementTagNameMap["p"];
  "width": HTMLElementTagNameMap["input"];
  "centre": HTMLElementTagNameMap["button"];
  "undo": HTMLElementTagNameMap["button"];
  "clear": HTMLElementTagNameMap["button"];
  "cells-help": HTMLElementTagNameMap["p"];
  "examples": HTMLElementTagNameMap["div"];
  "example-other": HTMLElementTagNameMap["button"];
  "example-words": HTMLElementTagNameMap["span"];
  "picture": HTMLElementTagNameMap["input"];
  "answer-digit": HTMLElementTagNameMap["span"];
  "answer-words": HTMLElementTagNameMap["p"];
  "draw-problem": HTMLElementTagNameMap["div"];
  "draw-several": HTMLElementTagNameMap["p"];
  "draw-to-read": HTMLElementTagNameMap["button"];
  "draw-bars": HTMLElementTagNameMap["div"];
  "keep-label": HTMLElementTagNameMap["select"];
  "keep": HTMLElementTagNameMap["button"];
  "keep-done": HTMLElementTagNameMap["span"];
  "why": HTMLElementTagNameMap["section"];
  "why-title": HTMLElementTagNameMap["h2"];
  "why-occlusion": HTMLElementTagNameMap["canvas"];
  "why-mattered": HTMLElementTagNameMap["p"];
  "why-gradients": HTMLElementTagNameMap["canvas"];
  "why-ask": HTMLElementTagNameMap["button"];
  "why-gradients-words": HTMLElementTagNameMap["p"];
  "why-next": HTMLElementTagNameMap["p"];
  "why-nearest-ask": HTMLElementTagNameMap["button"];
  "why-nearest": HTMLElementTagNameMap["div"];
  "view-network": HTMLElementTagNameMap["section"];
  "h-network": HTMLElementTagNameMap["h1"];
  "net-shown": HTMLElementTagNameMap["span"];
  "net-top": HTMLElementTagNameMap["li"];
  "net-pad": HTMLElementTagNameMap["canvas"];
  "net-pad-hint": HTMLElementTagNameMap["p"];
  "net-pixels": HTMLElementTagNameMap["canvas"];
  "net-answer": HTMLElementTagNameMap["div"];
  "net-digit": HTMLElementTagNameMap["span"];
  "net-words": HTMLElementTagNameMap["p"];
  "net-clear": HTMLElementTagNameMap["button"];
  "net-save": HTMLElementTagNameMap["button"];
  "net-ribbons": HTMLElementTagNameMap["input"];
  "net-layers": HTMLElementTagNameMap["div"];
  "net-links": SVGElementTagNameMap["svg"];
  "net-rows": HTMLElementTagNameMap["ol"];
  "view-pixels": HTMLElementTagNameMap["section"];
  "h-pixels": HTMLElementTagNameMap["h1"];
  "steps": HTMLElementTagNameMap["ol"];
  "zoom": HTMLElementTagNameMap["input"];
  "pixels-scroll": HTMLElementTagNameMap["div"];
  "pixels-grid": HTMLElementTagNameMap["canvas"];
  "pixel-fact": HTMLElementTagNameMap["p"];
  "magnifier": HTMLElementTagNameMap["canvas"];
  "pixels-text": HTMLElementTagNameMap["pre"];
  "view-features": HTMLElementTagNameMap["section"];
  "h-features": HTMLElementTagNameMap["h1"];
  "unroll-picture": HTMLElementTagNameMap["canvas"];
  "unroll-formula": HTMLElementTagNameMap["p"];
  "unroll-rows": HTMLElementTagNameMap["ol"];
  "onehot": HTMLElementTagNameMap["div"];
  "onehot-text": HTMLElementTagNameMap["pre"];
  "ribbon": HTMLElementTagNameMap["canvas"];
  "ribbon-close": HTMLElementTagNameMap["canvas"];
  "view-answer": HTMLElementTagNameMap["section"];
  "h-answer": HTMLElementTagNameMap["h1"];
  "compare": HTMLElementTagNameMap["fieldset"];
  "shifted": HTMLElementTagNameMap["canvas"];
  "dx-out": HTMLElementTagNameMap["output"];
  "dx": HTMLElementTagNameMap["input"];
  "dy-out": HTMLElementTagNameMap["output"];
  "dy": HTMLElementTagNameMap["input"];
  "shift-back": HTMLElementTagNameMap["button"];
  "answers": HTMLElementTagNameMap["div"];
  "train-dense": HTMLElementTagNameMap["button"];
  "view-convolution": HTMLElementTagNameMap["section"];
  "h-convolution": HTMLElementTagNameMap["h1"];
  "conv-lead": HTMLElementTagNameMap["p"];
  "layers": HTMLElementTagNameMap["div"];
  "layer-about": HTMLElementTagNameMap["p"];
  "maps": HTMLElementTagNameMap["div"];
  "cell-title": HTMLElementTagNameMap["h2"];
  "player": HTMLElementTagNameMap["div"];
  "play": HTMLElementTagNameMap["button"];
  "play-step": HTMLElementTagNameMap["button"];
  "play-all": HTMLElementTagNameMap["button"];
  "play-speed": HTMLElementTagNameMap["input"];
  "pin-words": HTMLElementTagNameMap["span"];
  "flow": HTMLElementTagNameMap["div"];
  "into-title": HTMLElementTagNameMap["figcaption"];
  "conv-into": HTMLElementTagNameMap["canvas"];
  "out-title": HTMLElementTagNameMap["figcaption"];
  "conv-out": HTMLElementTagNameMap["canvas"];
  "out-names": HTMLElementTagNameMap["div"];
  "chain": HTMLElementTagNameMap["div"];
  "cell-words": HTMLElementTagNameMap["p"];
  "cell": HTMLElementTagNameMap["div"];
  "bench-part": HTMLElementTagNameMap["div"];
  "bench-channel-field": HTMLElementTagNameMap["div"];
  "bench-channel": HTMLElementTagNameMap["select"];
  "kernel": HTMLElementTagNameMap["div"];
  "presets": HTMLElementTagNameMap["div"];
  "size-out": HTMLElementTagNameMap["output"];
  "size": HTMLElementTagNameMap["input"];
  "stride-out": HTMLElementTagNameMap["output"];
  "stride": HTMLElementTagNameMap["input"];
  "padding-out": HTMLElementTagNameMap["output"];
  "padding": HTMLElementTagNameMap["input"];
  "bias": HTMLElementTagNameMap["input"];
  "divisor": HTMLElementTagNameMap["input"];
  "arithmetic": HTMLElementTagNameMap["p"];
  "bench-problem": HTMLElementTagNameMap["div"];
  "bench-into": HTMLElementTagNameMap["canvas"];
  "bench-before": HTMLElementTagNameMap["canvas"];
  "bench-activation": HTMLElementTagNameMap["figcaption"];
  "bench-after": HTMLElementTagNameMap["canvas"];
  "bench-pooled": HTMLElementTagNameMap["canvas"];
  "view-map": HTMLElementTagNameMap["section"];
  "h-map": HTMLElementTagNameMap["h1"];
  "map-problem": HTMLElementTagNameMap["div"];
  "map-pad": HTMLElementTagNameMap["canvas"];
  "map-pad-hint": HTMLElementTagNameMap["p"];
  "map-clear": HTMLElementTagNameMap["button"];
  "map-words": HTMLElementTagNameMap["p"];
  "map-plot": HTMLElementTagNameMap["canvas"];
  "map-near-words": HTMLElementTagNameMap["p"];
  "map-near": HTMLElementTagNameMap["div"];
  "view-train": HTMLElementTagNameMap["section"];
  "h-train": HTMLElementTagNameMap["h1"];
  "train-form": HTMLElementTagNameMap["form"];
  "train-network": HTMLElementTagNameMap["select"];
  "train-about": HTMLElementTagNameMap["p"];
  "layers-part": HTMLElementTagNameMap["div"];
  "train-layers": HTMLElementTagNameMap["input"];
  "layer-list": HTMLElementTagNameMap["ol"];
  "layer-kind": HTMLElementTagNameMap["select"];
  "layer-width": HTMLElementTagNameMap["input"];
  "layer-add": HTMLElementTagNameMap["button"];
  "layer-remove": HTMLElementTagNameMap["button"];
  "train-activation": HTMLElementTagNameMap["select"];
  "train-data": HTMLElementTagNameMap["select"];
  "train-missing": HTMLElementTagNameMap["p"];
  "share-out": HTMLElementTagNameMap["output"];
  "share-count": HTMLElementTagNameMap["span"];
  "train-share": HTMLElementTagNameMap["input"];
  "train-epochs": HTMLElementTagNameMap["input"];
  "train-learning-rate": HTMLElementTagNameMap["input"];
  "train-dropout": HTMLElementTagNameMap["input"];
  "train-batch": HTMLElementTagNameMap["input"];
  "train-optimizer": HTMLElementTagNameMap["select"];
  "train-augment": HTMLElementTagNameMap["select"];
  "train-recipe": HTMLElementTagNameMap["select"];
  "train-seed": HTMLElementTagNameMap["input"];
  "train-from": HTMLElementTagNameMap["select"];
  "train-terminal": HTMLElementTagNameMap["p"];
  "train-command": HTMLElementTagNameMap["code"];
  "train-start": HTMLElementTagNameMap["button"];
  "train-stop": HTMLElementTagNameMap["button"];
  "train-problem": HTMLElementTagNameMap["div"];
  "train-elsewhere": HTMLElementTagNameMap["p"];
  "train-elsewhere-words": HTMLElementTagNameMap["span"];
  "train-show": HTMLElementTagNameMap["button"];
  "run-title": HTMLElementTagNameMap["h2"];
  "run-state": HTMLElementTagNameMap["span"];
  "run-progress": HTMLElementTagNameMap["progress"];
  "run-note": HTMLElementTagNameMap["p"];
  "no-curves": HTMLElementTagNameMap["p"];
  "charts": HTMLElementTagNameMap["div"];
  "chart-loss": HTMLElementTagNameMap["div"];
  "chart-right": HTMLElementTagNameMap["div"];
  "overlay-legend": HTMLElementTagNameMap["p"];
  "curve-legend": HTMLElementTagNameMap["p"];
  "key-held": HTMLElementTagNameMap["span"];
  "run-weights-part": HTMLElementTagNameMap["figure"];
  "run-weights-words": HTMLElementTagNameMap["span"];
  "run-weights": HTMLElementTagNameMap["div"];
  "run-words": HTMLElementTagNameMap["pre"];
  "run-use": HTMLElementTagNameMap["button"];
  "run-save": HTMLElementTagNameMap["button"];
  "run-actions": HTMLElementTagNameMap["span"];
  "run-resume": HTMLElementTagNameMap["button"];
  "run-rename": HTMLElementTagNameMap["button"];
  "run-delete": HTMLElementTagNameMap["button"];
  "rename-part": HTMLElementTagNameMap["form"];
  "run-name": HTMLElementTagNameMap["input"];
  "delete-part": HTMLElementTagNameMap["div"];
  "delete-words": HTMLElementTagNameMap["p"];
  "delete-yes": HTMLElementTagNameMap["button"];
  "delete-no": HTMLElementTagNameMap["button"];
  "run-table-part": HTMLElementTagNameMap["details"];
  "run-table": HTMLElementTagNameMap["table"];
  "runs": HTMLElementTagNameMap["div"];
  "view-mistakes": HTMLElementTagNameMap["section"];
  "h-mistakes": HTMLElementTagNameMap["h1"];
  "mistakes-data": HTMLElementTagNameMap["select"];
  "mistakes-part": HTMLElementTagNameMap["select"];
  "mistakes-part-note": HTMLElementTagNameMap["span"];
  "mistakes-words": HTMLElementTagNameMap["p"];
  "mistakes-problem": HTMLElementTagNameMap["div"];
  "mistakes-gate": HTMLElementTagNameMap["div"];
  "mistakes-missing": HTMLElementTagNameMap["div"];
  "mistakes-part-shown": HTMLElementTagNameMap["div"];
  "matrix": HTMLElementTagNameMap["table"];
  "gallery-title": HTMLElementTagNameMap["h2"];
  "gallery-note": HTMLElementTagNameMap["p"];
  "gallery": HTMLElementTagNameMap["div"];
  "gallery-more": HTMLElementTagNameMap["button"];
  "taken": HTMLElementTagNameMap["div"];
  "view-read": HTMLElementTagNameMap["section"];
  "h-read": HTMLElementTagNameMap["h1"];
  "no-reader": HTMLElementTagNameMap["div"];
  "read-file": HTMLElementTagNameMap["input"];
  "read-example": HTMLElementTagNameMap["button"];
  "read-length": HTMLElementTagNameMap["input"];
  "read-line": HTMLElementTagNameMap["input"];
  "read-problem": HTMLElementTagNameMap["div"];
  "read-state": HTMLElementTagNameMap["p"];
  "read-empty": HTMLElementTagNameMap["div"];
  "read-part": HTMLElementTagNameMap["div"];
  "photo": HTMLElementTagNameMap["div"];
  "lines-part": HTMLElementTagNameMap["div"];
  "read-least": HTMLElementTagNameMap["select"];
  "read-hidden": HTMLElementTagNameMap["span"];
  "lines": HTMLElementTagNameMap["ol"];
  "digit-tools": HTMLElementTagNameMap["div"];
  "digit-chosen": HTMLElementTagNameMap["b"];
  "digit-before": HTMLElementTagNameMap["button"];
  "digit-after": HTMLElementTagNameMap["button"];
  "digit-delete": HTMLElementTagNameMap["button"];
  "digit-inspect": HTMLElementTagNameMap["button"];
  "digit-others": HTMLElementTagNameMap["div"];
  "read-copy": HTMLElementTagNameMap["button"];
  "read-csv": HTMLElementTagNameMap["button"];
  "read-copied": HTMLElementTagNameMap["span"];
  "read-keep": HTMLElementTagNameMap["button"];
  "view-digits": HTMLElementTagNameMap["section"];
  "h-digits": HTMLElementTagNameMap["h1"];
  "own": HTMLElementTagNameMap["div"];
  "view-review": HTMLElementTagNameMap["section"];
  "h-review": HTMLElementTagNameMap["h1"];
  "review-bar": HTMLElementTagNameMap["div"];
  "review-count": HTMLElementTagNameMap["p"];
  "review-back": HTMLElementTagNameMap["button"];
  "review-person": HTMLElementTagNameMap["input"];
  "review-problem": HTMLElementTagNameMap["div"];
  "review-how": HTMLElementTagNameMap["div"];
  "review-rest": HTMLElementTagNameMap["div"];
  "rest-title": HTMLElementTagNameMap["h2"];
  "rest-words": HTMLElementTagNameMap["p"];
  "review-again": HTMLElementTagNameMap["button"];
  "review-desk": HTMLElementTagNameMap["div"];
  "piece-title": HTMLElementTagNameMap["h2"];
  "piece-why": HTMLElementTagNameMap["p"];
  "piece-close": HTMLElementTagNameMap["figure"];
  "guesses": HTMLElementTagNameMap["ol"];
  "zip-form": HTMLElementTagNameMap["form"];
  "zip-label": HTMLElementTagNameMap["label"];
  "zip": HTMLElementTagNameMap["input"];
  "zip-send": HTMLElementTagNameMap["button"];
  "zip-place": HTMLElementTagNameMap["p"];
  "zip-anyway": HTMLElementTagNameMap["button"];
  "review-unreadable": HTMLElementTagNameMap["button"];
  "review-skip": HTMLElementTagNameMap["button"];
  "review-turn": HTMLElementTagNameMap["button"];
  "piece-whole": HTMLElementTagNameMap["figure"];
  "theme": HTMLElementTagNameMap["select"];
  "tour-start": HTMLElementTagNameMap["button"];
  "tour": HTMLElementTagNameMap["aside"];
  "tour-title": HTMLElementTagNameMap["h2"];
  "tour-words": HTMLElementTagNameMap["p"];
  "tour-back": HTMLElementTagNameMap["button"];
  "tour-next": HTMLElementTagNameMap["button"];
  "tour-leave": HTMLElementTagNameMap["button"];
  "live": HTMLElementTagNameMap["p"];
}
