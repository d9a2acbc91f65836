export declare const allocator: Readonly<Record<'MALLOC_TRIM_THRESHOLD_' | 'MALLOC_TOP_PAD_', string>>;
/** The flags of Node for a command of the command line. */
export declare function nodeFlagsOf(command: string | undefined): readonly string[];
