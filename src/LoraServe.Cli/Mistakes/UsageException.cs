namespace LoraServe.Cli.Mistakes;

/// <summary>The command line asks for something that cannot be; the message says what and what to do. Printed without a stack trace, and nothing was done.</summary>
internal sealed class UsageException(string message) : Exception(message);
