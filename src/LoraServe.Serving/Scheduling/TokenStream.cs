using System.Threading.Tasks.Sources;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Scheduling;

/// <summary>Carries tokens from the loop to the one reader of a request. Strings are made by the reader.</summary>
/// <remarks>
/// There is room from the start for <see cref="ReservedTokens"/> tokens that wait to be read, or for all that the request can have:
/// writing allocates only when a reader falls further behind, and then as much as there was.
/// </remarks>
/// <param name="tokens">Most tokens that will be written.</param>
internal sealed class TokenStream(long tokens) : IValueTaskSource, IThreadPoolWorkItem
{
    /// <summary>Tokens that can wait to be read without anything being allocated.</summary>
    public const int ReservedTokens = 256;

    private const int LettersPerToken = 4;

    private readonly Lock _lock = new();
    private readonly Queue<Item> _items = new((int)Math.Min(tokens, ReservedTokens));
    private char[] _text = new char[Math.Min(tokens, ReservedTokens) * LettersPerToken];
    private int _textStart;
    private int _textEnd;
    private ManualResetValueTaskSourceCore<bool> _arrival;
    private bool _isWaiting;
    private bool _isComplete;
    private Exception? _failure;

    /// <summary>Adds a token and the text that it made certain.</summary>
    public void Write(in Item item, ReadOnlySpan<char> text)
    {
        lock (_lock)
        {
            MakeRoom(text.Length);
            text.CopyTo(_text.AsSpan(_textEnd));
            _textEnd += text.Length;
            _items.Enqueue(item with { TextLength = text.Length });
        }
    }

    /// <summary>Wakes the reader; once after all writes of a step.</summary>
    public void Signal()
    {
        lock (_lock)
        {
            if (!_isWaiting)
            {
                return;
            }

            _isWaiting = false;
        }

        // The reader goes on in the thread pool, never on the loop's thread.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Ends the stream; what was written before can still be read.</summary>
    public void Complete(Exception? failure = null)
    {
        lock (_lock)
        {
            _isComplete = true;
            _failure ??= failure;
        }

        Signal();
    }

    /// <summary>Waits until there is something to read or the stream has ended.</summary>
    public ValueTask WaitAsync()
    {
        lock (_lock)
        {
            if (_items.Count > 0 || _isComplete)
            {
                return ValueTask.CompletedTask;
            }

            _arrival.Reset();
            _isWaiting = true;
            return new ValueTask(this, _arrival.Version);
        }
    }

    /// <summary>Reads the next token; false when there is none now. Throws what the stream ended with after its last token.</summary>
    public bool TryRead(out GeneratedToken token, out bool isComplete)
    {
        lock (_lock)
        {
            isComplete = _isComplete && _items.Count == 0;
            if (_items.TryDequeue(out Item item))
            {
                token = new GeneratedToken
                {
                    Choice = item.Choice,
                    TokenId = item.TokenId,
                    Text = item.TextLength == 0 ? "" : new string(_text, _textStart, item.TextLength),
                    LogProbability = item.LogProbability,
                    Top = item.Top ?? [],
                    Finish = item.Finish,
                };
                _textStart += item.TextLength;
                return true;
            }

            token = default;
            if (isComplete && _failure is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
            }

            return false;
        }
    }

    void IThreadPoolWorkItem.Execute() => _arrival.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _arrival.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _arrival.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _arrival.OnCompleted(continuation, state, token, flags);

    private void MakeRoom(int length)
    {
        if (_textEnd + length <= _text.Length)
        {
            return;
        }

        int unread = _textEnd - _textStart;
        char[] target = unread + length <= _text.Length / 2 ? _text : new char[Math.Max(_text.Length * 2, unread + length)];
        _text.AsSpan(_textStart, unread).CopyTo(target);
        (_text, _textStart, _textEnd) = (target, 0, unread);
    }

    /// <summary>A token before its text is made.</summary>
    internal readonly record struct Item(int Choice, int TokenId, float LogProbability, TokenProbability[]? Top, FinishReason Finish)
    {
        public int TextLength { get; init; }
    }
}
