namespace LoraServe.Cli.Mistakes;

/// <summary>The work failed for a reason that the user can mend; the message says which and how. Printed without a stack trace.</summary>
internal sealed class CommandException(string message) : Exception(message);
