namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Follows the text that closes calls, with white space ahead of it.</summary>
/// <param name="text">The text; empty where nothing closes them.</param>
internal sealed class ClosingText(string text)
{
    private int _read;

    /// <summary>What was taken of it.</summary>
    public string Read => text[.._read];

    /// <summary>Takes a letter where it is the next of the text; null where it is not, and none was taken.</summary>
    public SyntaxStep? Push(char letter)
    {
        if (_read < text.Length && letter == text[_read])
        {
            return ++_read == text.Length ? SyntaxStep.Last : SyntaxStep.Taken;
        }

        return _read > 0 ? SyntaxStep.Behind : null;
    }
}
