namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads calls letter by letter, from behind the text that begins them. One for each time that it stands in an answer.</summary>
internal abstract class CallSyntax
{
    /// <summary>Longer names are none.</summary>
    protected const int MaxNameLength = 256;

    /// <summary>Letters that turned out to be no part of the calls although they were taken for the beginning of their end; read again as text where the calls end before a letter.</summary>
    public virtual string Untaken => "";

    /// <summary>Whether a call may end the answer here, or nothing but what closes the calls may follow.</summary>
    public abstract bool MayEnd { get; }

    /// <summary>Takes the next letter.</summary>
    public abstract SyntaxStep Push(char letter, ICallSink sink);

    /// <summary>Nothing follows: hands on a call that is whole but for what closes it.</summary>
    public virtual void Finish(ICallSink sink)
    {
    }
}
