namespace LoraServe.Models.Text.ToolCalls;

/// <summary>What a letter was, behind the text that begins calls.</summary>
internal enum SyntaxStep
{
    /// <summary>A part of them.</summary>
    Taken,

    /// <summary>Their last.</summary>
    Last,

    /// <summary>None of them: they ended before it.</summary>
    Behind,

    /// <summary>What cannot stand there: these are no calls.</summary>
    Wrong,
}
