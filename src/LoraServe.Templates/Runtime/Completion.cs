namespace LoraServe.Templates.Runtime;

/// <summary>How a statement ended: breaks and continues unwind to the loop around them.</summary>
internal enum Completion
{
    Normal,
    Break,
    Continue,
}
