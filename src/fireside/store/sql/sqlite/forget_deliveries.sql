-- Remove messages that were over long ago.
DELETE FROM webhook_delivery WHERE over_at < :before;
